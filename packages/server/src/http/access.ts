/** Who calls, and which roles may use which routes of the control plane. What agents may do is policy's business. */

/** `none` is nobody: what public routes see without credentials. */
export const roles = ["none", "viewer", "operator", "approver", "admin"] as const;
export type Role = (typeof roles)[number];

/** What a route asks for; `public` needs no credentials. */
export type Access = "public" | "viewer" | "operator" | "approver" | "admin";

export interface Principal {
  /** Stable id, for example `admin`. */
  readonly id: string;
  readonly role: Role;
  readonly tenant: string;
}

export const anonymous: Principal = { id: "anonymous", role: "none", tenant: "default" };

/** Each role may do what the ones before it may; a set per role so that a later role (auditor) need not fit in the line. */
const grants: Readonly<Record<Role, ReadonlySet<Access>>> = {
  none: new Set<Access>(["public"]),
  viewer: new Set<Access>(["public", "viewer"]),
  operator: new Set<Access>(["public", "viewer", "operator"]),
  approver: new Set<Access>(["public", "viewer", "operator", "approver"]),
  admin: new Set<Access>(["public", "viewer", "operator", "approver", "admin"]),
};

export function mayUse(role: Role, access: Access): boolean {
  return grants[role].has(access);
}

/** The tenant that runs the server: what concerns all tenants is told to and changed by nobody else. */
export const ownerTenant = "default";

export function isOwner({ tenant }: Pick<Principal, "tenant">): boolean {
  return tenant === ownerTenant;
}
