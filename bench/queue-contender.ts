/** What the queue benchmark asks of every queue it compares. */

export interface Contender {
  /** Puts one job in; resolves when it is as durable as this queue makes it. */
  enqueue(): Promise<void>;
  /** Works off the `count` jobs that wait, `concurrency` at a time, doing nothing in each; resolves when the last one is finished. */
  process(count: number, concurrency: number): Promise<void>;
  close(): Promise<void>;
}
