/** Recognises this process's own listeners by address and port, so that no action can call the control plane. */
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import type { HostAddress } from "./http-address.ts";

/** `ports` answers with the ports this process listens on now. Interfaces are asked each time: they come and go. */
export function createOwnListenerCheck(ports: () => readonly number[]): (place: HostAddress) => boolean {
  return ({ address, port }) => ports().includes(port) && isThisMachine(address);
}

function isThisMachine(address: string): boolean {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  if (plain === "::" || plain === "::1" || plain === "0.0.0.0") return true;
  if (isIPv4(plain) && plain.startsWith("127.")) return true;
  return Object.values(networkInterfaces()).some(
    (list) => list?.some((each) => each.address === plain) === true,
  );
}
