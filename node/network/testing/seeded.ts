import { createRandom, Hash, toHexDigits } from "@ostrom/base";
import type { HostPort } from "../network-group.ts";
import type { NodeRecord, SignedRecord } from "../node-record.ts";
import type { Entropy } from "../types.ts";

export const TEST_GENESIS_HASH: Hash = Hash(new Uint8Array(32).fill(7));

/** Bytes that follow from a seed. */
export function seededEntropy(seed: number): Entropy {
  const random = createRandom(seed);
  return { bytes: (length) => random.bytes(length) };
}

/** A peer id that nobody holds the key of. */
export function testPeerId(number: number): string {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(28, number);
  return toHexDigits(bytes);
}

/** A record for tests of what is done with records that were checked: its bytes are a name, and no signature. */
export function testRecord(
  number: number,
  address: HostPort,
  timestampMs: number,
  sequence: number = timestampMs,
): SignedRecord {
  const record: NodeRecord = {
    peerId: testPeerId(number),
    sequence,
    genesisHash: TEST_GENESIS_HASH,
    addresses: [address],
    roles: ["follower"],
    timestampMs,
  };
  return { record, bytes: new TextEncoder().encode(`${record.peerId}/${sequence}/${address.host}`) };
}
