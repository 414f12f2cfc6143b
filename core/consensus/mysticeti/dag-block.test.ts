import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { simulatedDomain } from "../testing/signatures.ts";
import { ValidatorIndex } from "../types.ts";
import { dagDigest, decodeSignedDagBlock, encodeSignedDagBlock, signedDagBlockToRlp } from "./dag-block.ts";
import { type DagBlock, Round } from "./types.ts";

const hashOf = (byte: number): Hash => Hash(new Uint8Array(32).fill(byte));
const BLOCK: DagBlock = {
  epoch: Epoch(3),
  round: Round(7),
  author: ValidatorIndex(2),
  previous: { round: Round(5), digest: hashOf(9) },
  parents: [0, 1, 11].map((author) => ({ author: ValidatorIndex(author), digest: hashOf(author) })),
  timestampMs: 1_700_000_000_000,
  stateCertificate: undefined,
  payload: Uint8Array.of(1, 2, 3),
};
const signature = new Uint8Array(16).fill(4);

test("a block survives its encoding, and every field is in its digest", () => {
  const decoded = decodeSignedDagBlock(encodeSignedDagBlock({ block: BLOCK, signature }));
  assert.deepEqual(decoded, { ok: true, value: { block: BLOCK, signature } });
  const others: Partial<DagBlock>[] = [
    { epoch: Epoch(4) },
    { round: Round(8) },
    { author: ValidatorIndex(3) },
    { previous: undefined },
    { parents: BLOCK.parents.slice(1) },
    { timestampMs: 1 },
    { payload: Uint8Array.of(1, 2, 4) },
  ];
  const digests = others.map((change) => dagDigest(simulatedDomain, { ...BLOCK, ...change }).join());
  assert.equal(new Set([...digests, dagDigest(simulatedDomain, BLOCK).join()]).size, others.length + 1);
});

test("a bitmap that ends with an empty byte, or that does not fit the digests, is refused", () => {
  const [body, ...rest] = signedDagBlockToRlp({ block: BLOCK, signature }) as [Uint8Array[], Uint8Array];
  const withBits = (bitmap: Uint8Array): Uint8Array => {
    const fields = [...body];
    fields[4] = bitmap;
    return encodeRlp([fields, ...rest]);
  };
  assert.ok(decodeSignedDagBlock(withBits(Uint8Array.of(0b11, 0b1000))).ok);
  for (const bitmap of [Uint8Array.of(0b11, 0b1000, 0), Uint8Array.of(0b11), new Uint8Array()])
    assert.equal(decodeSignedDagBlock(withBits(bitmap)).ok, false);
});
