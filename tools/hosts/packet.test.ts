import assert from "node:assert/strict";
import { test } from "node:test";
import { completeChecksum, receiverOf } from "./packet.ts";

const VALIDATORS = 7;
const VXLAN_HEADER = "08000000" + "00004d00";
const toValidator = (number: number): string => `02000000000${number}`;
/** A SYN from 10.77.0.1 to 10.77.0.2; the checksums are empty. */
const IP_HEADER = "4500" + "002c" + "0001" + "4000" + "4006" + "0000" + "0a4d0001" + "0a4d0002";
const SYN = "9c40" + "7666" + "00000001" + "00000000" + "6002" + "faf0" + "0000" + "0000" + "020405b4";

function datagram(destination: string, type: string, packet: string): Buffer {
  return Buffer.from(VXLAN_HEADER + destination + toValidator(1) + type + packet, "hex");
}

/** One's complement sum of pseudo-header and segment: 0xffff if the checksum in it is right (RFC 9293, 3.1). */
function verifies(bytes: Buffer): boolean {
  const packet = bytes.subarray(22);
  const length = packet.readUInt16BE(2) - 20;
  const pseudo = Buffer.concat([packet.subarray(12, 20), Buffer.from([0, 6, length >> 8, length & 0xff])]);
  const padding = Buffer.alloc(length % 2);
  const words = Buffer.concat([pseudo, packet.subarray(20, 20 + length), padding]);
  let sum = 0;
  for (let at = 0; at < words.length; at += 2) {
    sum += words.readUInt16BE(at);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum === 0xffff;
}

test("a datagram is for the validator whose number ends its destination", () => {
  assert.equal(receiverOf(datagram(toValidator(7), "0800", ""), VALIDATORS), 6);
  assert.equal(receiverOf(datagram(toValidator(8), "0800", ""), VALIDATORS), undefined);
  assert.equal(receiverOf(datagram("333300000001", "86dd", ""), VALIDATORS), undefined, "multicast");
  assert.equal(receiverOf(datagram("ffffffffffff", "0806", ""), VALIDATORS), undefined, "broadcast");
  assert.equal(receiverOf(Buffer.alloc(21), VALIDATORS), undefined, "too short");
});

test("a TCP segment gets the checksum that its receiver verifies", () => {
  const syn = datagram(toValidator(2), "0800", IP_HEADER + SYN);
  assert.equal(verifies(syn), false);
  completeChecksum(syn);
  assert.equal(verifies(syn), true);
  const once = Buffer.from(syn);
  completeChecksum(syn);
  assert.deepEqual(syn, once, "a right checksum stays");
});

test("a segment of odd length is padded for its checksum, and what follows the packet is not counted", () => {
  const odd = datagram(toValidator(2), "0800", `${IP_HEADER.replace("002c", "002d") + SYN}abcd`);
  completeChecksum(odd);
  assert.equal(verifies(odd), true);
});

test("what is no whole TCP segment stays as it is", () => {
  const kept = (bytes: Buffer): void => {
    const before = Buffer.from(bytes);
    completeChecksum(bytes);
    assert.deepEqual(bytes, before);
  };
  kept(datagram(toValidator(2), "0800", IP_HEADER.replace("4006", "4011") + SYN));
  kept(datagram(toValidator(2), "86dd", IP_HEADER + SYN));
  kept(datagram(toValidator(2), "0800", IP_HEADER + SYN.slice(0, 30)));
  kept(datagram(toValidator(2), "0800", IP_HEADER.replace("002c", "ffff") + SYN));
  kept(Buffer.alloc(30));
});
