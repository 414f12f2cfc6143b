import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromHex,
  addressToWord,
  type Bytes,
  concatBytes,
  must,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { createAddress } from "../contract-address.ts";
import { MAX_INIT_CODE_SIZE } from "../gas-schedule.ts";
import { assemble, returning } from "../testing/assemble.ts";
import { accountWith, CALLER, CALLER_BALANCE, CONTRACT } from "../testing/run-code.ts";
import { kindOf, programInitCode, readInitCode } from "./code-format.ts";
import { loadGas, MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_PAYLOAD_BYTES, validationGas } from "./program-gas.ts";
import { hostCall, runScripted, type Script, ScriptedKind } from "./testing/scripted-kind.ts";
import { CODE_PREFIX, KIND_BYTE } from "./types.ts";

const GAS = 10_000_000n;
const DEPOSIT_BYTE = 200n;
const CREATED: Address = createAddress(CALLER, 0n);
const CHUNK_A = addressFromHex(`0x${"d1".repeat(20)}`);
const CHUNK_B = addressFromHex(`0x${"d2".repeat(20)}`);

const succeeding: Script = function* () {
  yield* [];
  return 0;
};

function chunk(bytes: Bytes): Bytes {
  return Uint8Array.of(...CODE_PREFIX, KIND_BYTE.chunk, ...bytes);
}

/** Deploys by a transaction; the caller's nonce is 1, as if it had been raised. */
function deploy(kind: ScriptedKind, data: Bytes, options: Parameters<typeof runScripted>[2] = {}) {
  return runScripted(kind, new Uint8Array(), { to: "create", gas: GAS, data, ...options });
}

test("a program is validated, its constructor runs with what follows it, and it is stored with its prefix", () => {
  const kind = new ScriptedKind();
  const seen: string[] = [];
  const program = kind.program(function* (_memory, frame) {
    seen.push(`${frame.kind} ${toHexDigits(frame.input)}`);
    assert.equal(yield hostCall("input_size"), 2);
    return 0;
  });
  const { outcome, state } = deploy(kind, programInitCode("webassembly", program, Uint8Array.of(7, 8)));
  const stored = concatBytes(Uint8Array.of(0xef, 0x0a, 0x01), program);
  assert.equal(outcome.status, "success");
  assert.deepEqual(outcome.created, CREATED);
  assert.deepEqual(outcome.output, stored);
  assert.deepEqual(state.code(CREATED), stored);
  assert.deepEqual(seen, ["create 0708"]);
  const spent = BigInt(validationGas(program.length)) + DEPOSIT_BYTE * BigInt(stored.length);
  assert.equal(GAS - outcome.gasLeft, spent + must(kind.costs[0], "one host call").gas);
});

test("a constructor that reverts or traps leaves no code, and reverting gives back gas and says why", () => {
  const kind = new ScriptedKind();
  const reverting = kind.program(function* (memory) {
    memory.set(utf8("why"));
    yield hostCall("output", 0, 3);
    return 1;
  });
  const reverted = deploy(kind, programInitCode("riscv", reverting));
  assert.equal(reverted.outcome.status, "revert");
  assert.deepEqual(reverted.outcome.output, utf8("why"));
  assert.ok(reverted.outcome.gasLeft > 0n);
  assert.equal(reverted.state.code(CREATED).length, 0);

  const trapping = kind.program(function* () {
    yield hostCall("exit", 2);
    return 0;
  });
  const trapped = deploy(kind, programInitCode("riscv", trapping));
  assert.deepEqual([trapped.outcome.fault, trapped.outcome.gasLeft], ["vm/trap", 0n]);
  assert.equal(trapped.state.code(CREATED).length, 0);
});

test("what is no valid program is refused with a reason", () => {
  const kind = new ScriptedKind();
  const header = (length: number, kindByte: number) =>
    Uint8Array.of(...CODE_PREFIX, kindByte, 0, 0, 0, length);
  const cases: readonly (readonly [Bytes, RegExp])[] = [
    [programInitCode("webassembly", utf8("nonsense")), /no such script/],
    [Uint8Array.of(0xef, 0x0a), /header/],
    [concatBytes(header(4, 1), utf8("abc")), /reaches to byte 11, the init code only to 10/],
    [concatBytes(header(3, 9), utf8("abc")), /no kind of code 9/],
    [programInitCode("chunk", new Uint8Array()), /empty/],
    [programInitCode("chunk", new Uint8Array(MAX_CHUNK_BYTES + 1)), /at most 24573 bytes/],
    [programInitCode("chunk", utf8("data"), utf8("more")), /4 bytes follow/],
    [programInitCode("riscvManifest", new Uint8Array(19)), /20 bytes/],
    [programInitCode("riscvManifest", new Uint8Array()), /1 to 32 chunks/],
    [programInitCode("riscvManifest", new Uint8Array(20 * (MAX_CHUNKS + 1))), /1 to 32 chunks/],
    [programInitCode("webassemblyManifest", CHUNK_A), /no chunk at address 1/],
  ];
  for (const [data, reason] of cases) {
    const { outcome, state } = deploy(kind, data);
    assert.deepEqual([outcome.status, outcome.fault, outcome.gasLeft], ["fault", "vm/invalid-program", 0n]);
    assert.match(outcome.reason ?? "", reason);
    assert.equal(state.code(CREATED).length, 0);
    assert.equal(state.nonce(CREATED), 0n);
  }
  const { outcome } = deploy(kind, programInitCode("chunk", utf8("data")), { value: 1n });
  assert.match(outcome.reason ?? "", /value/);
});

test("a chunk is stored for its bytes' deposit alone, and cannot be called", () => {
  const kind = new ScriptedKind();
  const { outcome, state } = deploy(kind, programInitCode("chunk", utf8("half a program")));
  const stored = chunk(utf8("half a program"));
  assert.equal(outcome.status, "success");
  assert.deepEqual(outcome.created, CREATED);
  assert.deepEqual(state.code(CREATED), stored);
  assert.equal(kindOf(stored), "chunk");
  assert.equal(GAS - outcome.gasLeft, DEPOSIT_BYTE * BigInt(stored.length));

  const called = runScripted(kind, stored);
  assert.deepEqual([called.outcome.fault, called.outcome.gasLeft], ["vm/invalid-program", 0n]);
});

test("a manifest's program is its chunks one after the other; only the addresses are stored", () => {
  const kind = new ScriptedKind();
  const program = kind.program(succeeding);
  const accounts = [
    accountWith({ address: CHUNK_A, code: chunk(program.subarray(0, 5)) }),
    accountWith({ address: CHUNK_B, code: chunk(program.subarray(5)) }),
  ];
  const { outcome, state } = deploy(
    kind,
    programInitCode("webassemblyManifest", concatBytes(CHUNK_A, CHUNK_B)),
    { accounts },
  );
  const stored = Uint8Array.of(0xef, 0x0a, 0x81, ...CHUNK_A, ...CHUNK_B);
  assert.equal(outcome.status, "success");
  assert.deepEqual(state.code(CREATED), stored);
  assert.equal(kindOf(stored), "webassembly");
  const validation = BigInt(validationGas(program.length));
  assert.equal(GAS - outcome.gasLeft, 2n * 2600n + validation + DEPOSIT_BYTE * BigInt(stored.length));

  const called = runScripted(kind, stored, { accounts, gas: GAS });
  assert.equal(called.outcome.status, "success");
  assert.equal(GAS - called.outcome.gasLeft, 2n * 2600n + BigInt(loadGas(program.length, true)));

  // The same manifest where one of the chunks is another: what was put together before does not count.
  const other = runScripted(kind, stored, {
    accounts: [must(accounts[0], "there are two"), accountWith({ address: CHUNK_B, code: chunk(utf8("?")) })],
  });
  assert.equal(other.outcome.fault, "vm/invalid-program");
});

/** Counts how often programs are validated. */
class CountingKind extends ScriptedKind {
  validations = 0;
  override readonly validate: ScriptedKind["validate"] = () => {
    this.validations++;
    return { ok: true };
  };
}

test("a program is prepared once, whichever messages and states it is called in, as long as its chunks are the same", () => {
  const kind = new CountingKind();
  const code = kind.code(succeeding);
  for (let message = 0; message < 3; message++) runScripted(kind, code);
  assert.equal(kind.validations, 1);

  const program = kind.program(succeeding);
  const manifest = Uint8Array.of(0xef, 0x0a, 0x81, ...CHUNK_A, ...CHUNK_B);
  // Other objects with the same bytes each time, as when a cache of code has let go of them.
  const accounts = (second: Bytes) => [
    accountWith({ address: CHUNK_A, code: chunk(program.slice(0, 5)) }),
    accountWith({ address: CHUNK_B, code: chunk(second.slice()) }),
  ];
  const programs = new Set<unknown>();
  const seen = kind.runInReference;
  const watching: ScriptedKind = Object.assign(Object.create(kind), {
    runInReference: (...[machine, frame, called]: Parameters<typeof seen>) => {
      programs.add(called);
      seen(machine, frame, called);
    },
  });
  for (let message = 0; message < 3; message++) {
    runScripted(watching, manifest, { accounts: accounts(program.subarray(5)) });
  }
  assert.deepEqual([kind.validations, programs.size], [2, 1]);
  const other = kind.program(succeeding);
  runScripted(watching, manifest, { accounts: accounts(other.subarray(5)) });
  assert.deepEqual([kind.validations, programs.size], [3, 2]);
});

test("what cannot pay for being loaded is not prepared", () => {
  const kind = new CountingKind();
  const code = kind.code(succeeding);
  runScripted(kind, code, { gas: BigInt(loadGas(code.length - 3, false)) - 1n });
  deploy(kind, programInitCode("webassembly", kind.program(succeeding)), { gas: 1n });
  assert.equal(kind.validations, 0);
});

test("loading a program is paid at the first entry of a message", () => {
  const kind = new ScriptedKind();
  let depth = 0;
  const code = kind.code(function* (memory) {
    memory.set(CONTRACT);
    if (depth++ === 0) {
      yield hostCall("static_call", 100_000n, 0, 0, 0);
      yield hostCall("static_call", 100_000n, 0, 0, 0);
    }
    return 0;
  });
  const { outcome } = runScripted(kind, code, { gas: GAS });
  const calls = kind.costs.map(({ gas }) => gas);
  assert.equal(calls[0], calls[1]);
  assert.equal(
    GAS - outcome.gasLeft,
    BigInt(loadGas(code.length - 3, false)) + 2n * must(calls[0], "two calls"),
  );
});

test("EVM code deploys programs too, and still cannot return code that begins with 0xEF", () => {
  const kind = new ScriptedKind();
  const initCode = programInitCode("webassembly", kind.program(succeeding));
  const factory = assemble(
    "CALLDATASIZE",
    0n,
    0n,
    "CALLDATACOPY",
    "CALLDATASIZE",
    0n,
    0n,
    "CREATE",
    0n,
    "MSTORE",
    32n,
    0n,
    "RETURN",
  );
  const { outcome, state } = runScripted(kind, factory, { data: initCode });
  const created = createAddress(CONTRACT, 1n);
  assert.deepEqual(outcome.output.subarray(12), new Uint8Array(created));
  assert.equal(kindOf(state.code(created)), "webassembly");

  const returnsPrefix = assemble(0xef0a01n << 232n, 0n, "MSTORE", 3n, 0n, "RETURN");
  assert.equal(deploy(kind, returnsPrefix).outcome.fault, "vm/code-begins-with-ef");
});

test("EXTCODESIZE, EXTCODECOPY and EXTCODEHASH see a program as it is stored", () => {
  const kind = new ScriptedKind();
  const code = kind.code(succeeding);
  const other = addressFromHex(`0x${"e1".repeat(20)}`);
  const accounts = [accountWith({ address: other, code })];
  const word = addressToWord(other);
  const size = runScripted(kind, returning(word, "EXTCODESIZE"), { accounts });
  assert.equal(BigInt(`0x${toHexDigits(size.outcome.output)}`), BigInt(code.length));
  const copy = runScripted(
    kind,
    assemble(BigInt(code.length), 0n, 0n, word, "EXTCODECOPY", BigInt(code.length), 0n, "RETURN"),
    { accounts },
  );
  assert.deepEqual(copy.outcome.output, code);
  const hash = runScripted(kind, returning(word, "EXTCODEHASH"), { accounts });
  assert.deepEqual(hash.outcome.output, new Uint8Array(must(hash.state.codeHash(other), "it has code")));
});

test("an account that delegates to a program runs it as itself (EIP-7702)", () => {
  const kind = new ScriptedKind();
  const account = addressFromHex(`0x${"e2".repeat(20)}`);
  const code = kind.code(function* (_memory, frame) {
    yield hostCall("address", 0);
    yield hostCall("output", 0, 20);
    return frame.value === 5n ? 0 : 1;
  });
  const designator = Uint8Array.of(0xef, 0x01, 0x00, ...CONTRACT);
  const { outcome } = runScripted(kind, code, {
    to: account,
    value: 5n,
    accounts: [accountWith({ address: account, code: designator })],
  });
  assert.equal(outcome.status, "success");
  assert.deepEqual(outcome.output, new Uint8Array(account));
});

test("the largest payload fills the largest init code", () => {
  const initCode = programInitCode("webassembly", new Uint8Array(MAX_PAYLOAD_BYTES));
  assert.equal(initCode.length, MAX_INIT_CODE_SIZE);
  assert.equal(readInitCode(initCode).ok, true);
});

test("a program that needs more gas than there is to load or validate it is out of gas", () => {
  const kind = new ScriptedKind();
  const program = kind.program(succeeding);
  const needed = BigInt(validationGas(program.length));
  const short = deploy(kind, programInitCode("webassembly", program), { gas: needed - 1n });
  assert.deepEqual([short.outcome.fault, short.outcome.gasLeft], ["vm/out-of-gas", 0n]);
  const undeposited = deploy(kind, programInitCode("webassembly", program), { gas: needed });
  assert.equal(undeposited.outcome.fault, "vm/out-of-gas");
  const unloaded = runScripted(kind, kind.code(succeeding), {
    gas: BigInt(loadGas(program.length, false)) - 1n,
    value: 3n,
  });
  assert.equal(unloaded.outcome.fault, "vm/out-of-gas");
  assert.equal(unloaded.state.balance(CALLER), CALLER_BALANCE);
});
