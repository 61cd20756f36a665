/** Which addresses the HTTP tools may connect to: public ones, never this machine, its networks or our own listeners. Pure. */
import { BlockList, isIP, isIPv4 } from "node:net";

export interface HostAddress {
  readonly address: string;
  readonly port: number;
}

export interface AddressRules {
  /** `127.0.0.1:1234`, `[::1]:1234`: the only way to a private address, each with its port. From homeostat.yaml. */
  readonly allowPrivate: readonly string[];
  /** True for an address and port this process itself listens on; not even `allowPrivate` opens these. */
  readonly isOwnListener: (place: HostAddress) => boolean;
}

/** Why `place` may not be connected to, or undefined when it may. `address` is an IP literal. */
export function findAddressProblem(place: HostAddress, rules: AddressRules): string | undefined {
  if (rules.isOwnListener(place)) return "it is Homeostat's own listener";
  if (isPublicAddress(place.address)) return undefined;
  const allowed = new Set(rules.allowPrivate.map(normalizePlace));
  if (allowed.has(normalizePlace(formatPlace(place)))) return undefined;
  return "it is a private, local or reserved address";
}

/** `127.0.0.1:80`, `[::1]:80`. */
function formatPlace({ address, port }: HostAddress): string {
  return isIPv4(address) ? `${address}:${port}` : `[${address}]:${port}`;
}

/** The IANA special-purpose registries for IPv4 and IPv6 (RFC 6890) without what they mark globally reachable. */
const specialV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Link-local, with the metadata service of every large cloud at 169.254.169.254.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  // Multicast, reserved, broadcast.
  ["224.0.0.0", 3],
  // Azure's wire server: public by number, the host's own by function.
  ["168.63.129.16", 32],
];

/** Only global unicast is open at all; these parts of it are not. Mapped, NAT64 and local ranges lie outside 2000::/3. */
const specialV6: readonly (readonly [string, number])[] = [
  // Protocol assignments with Teredo, which embeds IPv4 addresses.
  ["2001::", 23],
  ["2001:db8::", 32],
  // 6to4 embeds IPv4 addresses.
  ["2002::", 16],
  ["3fff::", 20],
];

export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !listOf(specialV4, "ipv4").check(address, "ipv4");
  if (family === 6 && !address.includes("%")) {
    const isGlobal = listOf([["2000::", 3]], "ipv6").check(address, "ipv6");
    return isGlobal && !listOf(specialV6, "ipv6").check(address, "ipv6");
  }
  return false;
}

function listOf(ranges: readonly (readonly [string, number])[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, family);
  return list;
}

/** One spelling per place: a URL's host normalizes IPv6 literals. */
function normalizePlace(text: string): string {
  const url = URL.parse(`tcp://${text}`);
  if (url === null) return text;
  const host = URL.parse(`http://${url.hostname}/`)?.hostname ?? url.hostname;
  return `${host}:${url.port}`;
}
