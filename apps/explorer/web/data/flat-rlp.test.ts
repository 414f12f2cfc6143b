import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, fromHex, Hash, Height, toHex, unwrap } from "@ostrom/base";
import { encodeStateCertificate } from "@ostrom/consensus";
import { decodeHeader } from "@ostrom/execution";
import { readStateCertificate } from "../block/state-certificate.ts";
import { splitFlatList } from "./flat-rlp.ts";
import { readHeaderFields } from "./header-fields.ts";

/** Block 1 of a development network, without its empty bloom filter. */
const HEADER: string = [
  "0xf9027fa0603a2f17f0194c577b24a1ee9483d5e6b7668b77d467ffd0198f3ed2a1a37eeca01dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd",
  "40d493479471be63f3384f5fb98995898a86b02fb2426c5788a0e9c0b70835a6eb1d09da6c233cb2ba03b406476ff238131d171b2b8307a214fca056e81f171bcc55",
  "a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421b90100",
  "00".repeat(256),
  "80018401c9c38080846b04f243a0afba962894421b38b3983870bb1c63bfaa0a5ef6a08101773bc5ad1e9501b7aea0380065a9a9593881855f854edd85306168392c",
  "8b2ce35f424179653fe91eed5e880000000000000000843b5f2f36a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b4218080a0",
  "00".repeat(32),
  "a0e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
].join("");

test("a header's fields are those that the node's own decoder reads", () => {
  const header = unwrap(decodeHeader(unwrap(fromHex(HEADER))));
  assert.deepEqual(readHeaderFields(HEADER), {
    parentHash: toHex(header.parentHash),
    miner: "0x71be63f3384f5fb98995898a86b02fb2426c5788",
    number: Number(header.number),
    gasLimit: Number(header.gasLimit),
    gasUsed: Number(header.gasUsed),
    timestamp: Number(header.timestamp),
    baseFeePerGas: header.baseFeePerGas,
  });
});

test("a state certificate is read as core/consensus writes it, its signers by the bits of their indices", () => {
  const hashOf = (byte: number): Hash => Hash(new Uint8Array(32).fill(byte));
  const bytes = encodeStateCertificate({
    schemeId: 1,
    executed: {
      epoch: Epoch(3),
      height: Height(70_000),
      orderDigest: hashOf(1),
      executedHash: hashOf(2),
      nextSetHash: hashOf(3),
    },
    signers: Uint8Array.of(0b1000_1011, 0b0000_0010),
    signature: new Uint8Array(96).fill(7),
  });
  const read = readStateCertificate(toHex(bytes));
  assert.deepEqual([read.schemeId, read.epoch, read.height], [1, 3, 70_000]);
  assert.deepEqual(read.signers, [0, 1, 3, 7, 9]);
  assert.deepEqual(
    [read.orderDigest, read.executedHash, read.nextSetHash].map((hash) => hash.slice(2, 4)),
    ["01", "02", "03"],
  );
});

test("what is no flat list, or is cut off, is refused", () => {
  for (const bad of ["0x", "0x83616263", "0xc3c20102", "0xc88361626383616263ff", "0xc483616263".slice(0, -2)])
    assert.throws(() => readHeaderFields(bad), RangeError, bad);
  assert.deepEqual(splitFlatList("0xc483616263"), ["616263"]);
  assert.throws(() => splitFlatList("0xc4836162"), RangeError);
});
