/** Under which key a run is kept that must be made once only: what one may name, nobody else's key can be. Pure. */

export interface KeyOwner {
  readonly tenant: string;
  readonly requester: string;
  /** Set for runs that a schedule makes; its times stay the same when somebody else takes it over. */
  readonly schedule?: unknown;
  /** True for runs that a webhook makes; its events stay the same too. */
  readonly isFromHook?: boolean;
}

/** The whole key as it is stored. No name of a principal begins with `~`, so that keys of older versions are never met. */
export function runKey(owner: KeyOwner, key: string): string {
  const { tenant, requester } = owner;
  if (owner.schedule !== undefined) return `~${tenant}/schedule//${key}`;
  if (owner.isFromHook === true) return `~${tenant}/hook//${key}`;
  return `~${tenant}/person/${requester}/${key}`;
}

/** How versions before kept it: runs they made are found by it, in the owner's tenant. */
export function olderRunKey({ requester, schedule }: KeyOwner, key: string): string | undefined {
  if (schedule !== undefined) return `schedule/${key}`;
  return requester === "schedule" ? undefined : `${requester}/${key}`;
}
