import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Address, type Bytes, concatBytes, hex, toHex } from "@ostrom/base";
import { MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_PAYLOAD_BYTES, planUpload } from "@ostrom/vm";
import { encodeFunctionData, erc20Abi, pad } from "viem";
import { ENGINES } from "./contract-kinds.ts";
import { accounts, Ledger } from "./ledger.ts";
import { constructorInput, SUPPLY } from "./token-scenario.ts";

const [DEPLOYER] = accounts() as [Address];
const TOKENS = [
  { kind: "webassembly", path: "c/erc20/erc20.wasm" },
  { kind: "riscv", path: "c/erc20/erc20.riscv.elf" },
] as const;

const readToken = (path: string): Bytes =>
  new Uint8Array(readFileSync(join(import.meta.dirname, "..", path)));

/** A program that does the same, larger by what no machine looks at. */
function padded(kind: "webassembly" | "riscv", program: Bytes, size: number): Bytes {
  const waste = size - program.length;
  if (kind === "riscv") return concatBytes(program, new Uint8Array(waste));
  // A custom section: id 0, a length of five bytes, a name of one letter.
  const length = waste - 6;
  const header = Uint8Array.from([
    0,
    ...[0, 7, 14, 21].map((shift) => ((length >>> shift) & 0x7f) | 0x80),
    0,
    1,
    0x78,
  ]);
  return concatBytes(program, header, new Uint8Array(waste - header.length));
}

for (const { name, execute } of ENGINES) {
  for (const { kind, path } of TOKENS) {
    test(`${name}: a ${kind} program larger than init code may be is uploaded in chunks, and works`, () => {
      const ledger = new Ledger(execute);
      const program = padded(kind, readToken(path), 3 * MAX_CHUNK_BYTES - 100);
      const upload = { kind, program, constructorInput: constructorInput(SUPPLY), deployer: DEPLOYER };
      const plan = planUpload({ ...upload, nonce: ledger.nonceOf(DEPLOYER) });
      assert.equal(plan.initCodes.length, 4);
      const addresses = plan.initCodes.map((initCode) => toHex(ledger.deploy(DEPLOYER, initCode).address));
      assert.equal(addresses[3], toHex(plan.contract));
      const data = hex(
        encodeFunctionData({ abi: erc20Abi, functionName: "balanceOf", args: [toHex(DEPLOYER)] }),
      );
      const { effects } = ledger.send({ from: DEPLOYER, to: plan.contract, data });
      assert.equal(effects.output, pad(`0x${SUPPLY.toString(16)}`));
    });
  }
}

test("a program that fits into one transaction's init code is uploaded at once, the next larger one in chunks", () => {
  const upload = {
    kind: "webassembly",
    constructorInput: new Uint8Array(32),
    deployer: DEPLOYER,
    nonce: 7n,
  } as const;
  const largest = planUpload({ ...upload, program: new Uint8Array(MAX_PAYLOAD_BYTES - 32) });
  assert.deepEqual(
    largest.initCodes.map(({ length }) => length),
    [49_152],
  );
  assert.equal(
    planUpload({ ...upload, program: new Uint8Array(MAX_PAYLOAD_BYTES - 31) }).initCodes.length,
    3,
  );
});

test("a program larger than all chunks of a manifest is refused", () => {
  const upload = {
    kind: "riscv",
    constructorInput: new Uint8Array(),
    deployer: DEPLOYER,
    nonce: 0n,
  } as const;
  const largest = planUpload({ ...upload, program: new Uint8Array(MAX_CHUNKS * MAX_CHUNK_BYTES) });
  assert.equal(largest.initCodes.length, MAX_CHUNKS + 1);
  assert.throws(
    () => planUpload({ ...upload, program: new Uint8Array(MAX_CHUNKS * MAX_CHUNK_BYTES + 1) }),
    RangeError,
  );
});
