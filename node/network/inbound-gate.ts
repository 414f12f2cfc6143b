import type { LinkLimits } from "./limits.ts";

/** Addresses that are remembered; the oldest gives way. */
const MAX_ADDRESSES = 4_096;
const MS_PER_MINUTE = 60_000;

type AddressRecord = { pending: number /** Connections it may open at once. */; allowance: number };

export type GateRefusal = "network/too-many-pending" | "network/too-many-from-address" | "network/too-often";

/** Decides whether a connection is worth a handshake, before it costs one. It counts connections that are not authenticated
 * yet, together and by address, and how often an address comes. */
export class InboundGate {
  readonly #limits: LinkLimits;
  readonly #addresses = new Map<string, AddressRecord>();
  #pending = 0;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  get pending(): number {
    return this.#pending;
  }

  /** @returns why the connection is refused, or a function to call once when it is authenticated or gone. */
  admit(address: string): GateRefusal | (() => void) {
    const source = sourceOf(address);
    const record = this.#recordOf(source);
    if (record.allowance < 1) return "network/too-often";
    record.allowance -= 1;
    if (record.pending >= this.#limits.maxPendingPerAddress) return "network/too-many-from-address";
    if (this.#pending >= this.#limits.maxPending) return "network/too-many-pending";
    record.pending += 1;
    this.#pending += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      record.pending -= 1;
      this.#pending -= 1;
    };
  }

  /** Time has passed: addresses may come again, and quiet ones are forgotten. */
  tick(elapsedMs: number): void {
    const earned = (this.#limits.maxConnectionsPerMinute * elapsedMs) / MS_PER_MINUTE;
    for (const [source, record] of this.#addresses) {
      record.allowance = Math.min(this.#burst(), record.allowance + earned);
      if (record.pending === 0 && record.allowance >= this.#burst()) this.#addresses.delete(source);
    }
  }

  #recordOf(source: string): AddressRecord {
    const known = this.#addresses.get(source);
    if (known !== undefined) return known;
    if (this.#addresses.size >= MAX_ADDRESSES) {
      for (const oldest of this.#addresses.keys()) {
        this.#addresses.delete(oldest);
        break;
      }
    }
    const record: AddressRecord = { pending: 0, allowance: this.#burst() };
    this.#addresses.set(source, record);
    return record;
  }

  #burst(): number {
    return 2 * this.#limits.maxConnectionsPerMinute;
  }
}

const IPV6_GROUPS = 8;

/** Whoever has one address of IPv6 usually has 2^64 of them: the first half counts. */
function sourceOf(address: string): string {
  if (!address.includes(":") || address.startsWith("::ffff:")) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, IPV6_GROUPS - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].slice(0, IPV6_GROUPS / 2).join(":");
}
