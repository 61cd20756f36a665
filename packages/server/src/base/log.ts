/** The log's shape, as features see it: structured, levelled, with trace ids. `createLogger` makes it with pino. */

export interface Logger {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
  child(context: object): Logger;
}
