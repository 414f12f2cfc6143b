import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Address,
  addressFromHex,
  type Bytes,
  bytesToBigint,
  concatBytes,
  EMPTY_BYTES,
  must,
  toHexDigits,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { createAddress } from "../contract-address.ts";
import { createContractEngine } from "../engine/index.ts";
import { executeMessage } from "../execute-message.ts";
import type { MessageEngine } from "../message-engine.ts";
import { assemble } from "../testing/assemble.ts";
import { accountWith, CALLER, TEST_BLOCK } from "../testing/run-code.ts";
import type { Outcome } from "../types.ts";
import { kindOf, programInitCode } from "./code-format.ts";
import { payloadOf, type RoleName, roleCode, TEST_KINDS, type TestKind } from "./testing/roles.ts";

// EVM, WebAssembly and RISC-V contracts call each other; whatever each link's kind is, the chain does what EVM code does.

const ENGINES: Readonly<Record<string, MessageEngine>> = {
  reference: executeMessage,
  "tier 0": createContractEngine({ tiers: "tier0" }).execute,
  "tier 1": createContractEngine({ tiers: "tier1" }).execute,
  mixed: createContractEngine({ tiers: "mixed", mixedBySeed: 1 }).execute,
};

const address = (digits: string): Address => addressFromHex(`0x${digits.repeat(20)}`);
const [A, B, C] = [address("a1"), address("b2"), address("c3")];
const BENEFICIARY = address("d4");
const BALANCE = 1000n;
const GAS = 100_000_000n;

/** What stands at an address. */
type Place = readonly [Address, RoleName, TestKind];

type Run = { readonly outcome: Outcome; readonly state: StateOverlay };

function run(
  execute: MessageEngine,
  places: readonly Place[],
  message: { to?: Address; data: Bytes; value?: bigint; gas?: bigint },
): Run {
  const accounts = [
    accountWith({ address: CALLER, balance: 10n ** 18n }),
    ...places.map(([at, role, kind]) =>
      accountWith({ address: at, balance: BALANCE, code: roleCode(role, kind) }),
    ),
  ];
  const state = new StateOverlay(MemoryState.of(accounts));
  state.beginTransaction();
  const context = {
    fork: "osaka" as const,
    block: TEST_BLOCK,
    transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] },
    state,
  };
  const { to, data, value = 0n, gas = GAS } = message;
  const outcome = execute(context, { caller: CALLER, to, value, data, gas });
  return { outcome, state };
}

function word(value: bigint): Bytes {
  return wordToBytes(value);
}

/** All that a run leaves. Gas is told apart by kind, but by no engine. */
function observe({ outcome, state }: Run, gas: "with gas" | "without gas" = "without gas"): unknown {
  return {
    gasLeft: gas === "with gas" ? outcome.gasLeft : undefined,
    status: outcome.status,
    output: toHexDigits(outcome.output),
    logs: state
      .logs()
      .map((log) => [
        toHexDigits(log.address),
        log.topics.map((topic) => toHexDigits(topic)),
        toHexDigits(log.data),
      ]),
    accounts: [A, B, C, CALLER, BENEFICIARY].map((at) => [
      state.balance(at),
      state.nonce(at),
      ...[0n, 1n, 5n].map((slot) => state.storage(at, slot)),
    ]),
  };
}

const FORWARDS = ["call", "delegateCall", "staticCall"] as const;
const ENDS: readonly (readonly [RoleName, Bytes])[] = [
  ["who", EMPTY_BYTES],
  ["store", concatBytes(word(5n), word(77n))],
  ["log", concatBytes(word(3n), utf8("data"))],
  ["revert", utf8("reverted with this")],
  ["trap", EMPTY_BYTES],
  ["create", assemble(1n, 0n, "SSTORE", 32n, 0n, "RETURN")],
  ["create2", assemble(1n, 0n, "SSTORE", 32n, 0n, "RETURN")],
  ["destroy", BENEFICIARY],
];

for (const [engineName, execute] of Object.entries(ENGINES)) {
  const of = (name: string): string => `${name} (${engineName})`;

  for (const [end, input] of ENDS) {
    test(of(`${end} at the end of two calls of any type does the same in chains of all kinds`), () => {
      const data = concatBytes(B, C, input);
      for (const first of FORWARDS) {
        for (const second of execute === executeMessage ? FORWARDS : [first]) {
          const places = ([a, b, c]: readonly [TestKind, TestKind, TestKind]): Place[] => [
            [A, first, a],
            [B, second, b],
            [C, end, c],
          ];
          const message = { to: A, data, value: 7n };
          const chain = (...kinds: readonly [TestKind, TestKind, TestKind]): Run =>
            run(execute, places(kinds), message);
          const expected = observe(chain("evm", "evm", "evm"));
          for (const a of TEST_KINDS) {
            for (const b of TEST_KINDS) {
              for (const c of TEST_KINDS) {
                const found = chain(a, b, c);
                const what = `${first} ${second}: ${a} ${b} ${c}`;
                assert.deepEqual(observe(found), expected, what);
                if (execute === executeMessage) continue;
                const inReference = run(executeMessage, places([a, b, c]), message);
                assert.deepEqual(observe(found, "with gas"), observe(inReference, "with gas"), what);
              }
            }
          }
        }
      }
    });
  }

  test(of("a contract may be entered again while it waits, whatever the kinds"), () => {
    const data = concatBytes(B, A, C, word(5n), word(9n));
    const chain = (a: TestKind, b: TestKind, c: TestKind): Run =>
      run(
        execute,
        [
          [A, "call", a],
          [B, "call", b],
          [C, "store", c],
        ],
        { to: A, data },
      );
    const expected = chain("evm", "evm", "evm");
    assert.equal(expected.state.storage(C, 5n), 9n);
    for (const a of TEST_KINDS) {
      for (const b of TEST_KINDS)
        assert.deepEqual(observe(chain(a, b, "riscv")), observe(expected), `${a} ${b}`);
    }
  });

  test(of("frames of all kinds nest to depth 1024"), () => {
    const pairs = [
      ["evm", "webassembly"],
      ["webassembly", "riscv"],
      ["riscv", "evm"],
      ["webassembly", "webassembly"],
      ["riscv", "riscv"],
    ] as const;
    for (const [a, b] of pairs) {
      const places: readonly Place[] = [
        [A, "countDepth", a],
        [B, "countDepth", b],
      ];
      const { outcome } = run(execute, places, { to: A, data: concatBytes(B, A), gas: 2n ** 45n });
      assert.equal(bytesToBigint(outcome.output), 1024n, `${a} ${b}`);
    }
  });

  test(of("a child that burns all its gas leaves its caller a 64th, and the caller goes on"), () => {
    for (const a of TEST_KINDS) {
      for (const b of TEST_KINDS) {
        const gas = 400_000n;
        const { outcome } = run(
          execute,
          [
            [A, "call", a],
            [B, "burn", b],
          ],
          { to: A, data: B, gas },
        );
        assert.deepEqual([outcome.status, bytesToBigint(outcome.output)], ["success", 0n], `${a} ${b}`);
        assert.ok(outcome.gasLeft > gas / 70n && outcome.gasLeft <= gas / 64n, `${a} ${b}`);
      }
    }
  });

  test(of("contracts of each kind create contracts of each kind, which then work"), () => {
    for (const creator of TEST_KINDS) {
      for (const created of TEST_KINDS) {
        const initCode = initCodeOf("who", created);
        const made = run(execute, [[A, "create", creator]], { to: A, data: initCode, value: 5n });
        const at = createAddress(A, 1n);
        assert.equal(made.outcome.status, "success");
        assert.deepEqual(made.outcome.output.subarray(12), new Uint8Array(at), `${creator} ${created}`);
        assert.equal(kindOf(made.state.code(at)), created);
        assert.deepEqual(made.state.code(at), roleCode("who", created));
        assert.equal(made.state.balance(at), 5n);
      }
    }
  });

  test(
    of("an invalid program is refused: with a reason to a transaction, without an address to a creator"),
    () => {
      for (const kind of ["webassembly", "riscv"] as const) {
        const initCode = programInitCode(kind, utf8("this is neither a module nor a file"));
        const { outcome } = run(execute, [], { data: initCode });
        assert.deepEqual([outcome.fault, outcome.gasLeft], ["vm/invalid-program", 0n]);
        assert.ok(must(outcome.reason, "there is a reason").length > 10);
        for (const creator of TEST_KINDS) {
          const inside = run(execute, [[A, "create", creator]], { to: A, data: initCode });
          assert.deepEqual([inside.outcome.status, bytesToBigint(inside.outcome.output)], ["success", 0n]);
        }
      }
    },
  );

  test(of("a program in chunks is uploaded, named by a manifest, and called"), () => {
    for (const kind of ["webassembly", "riscv"] as const) {
      const program = payloadOf("who", kind);
      const half = program.length >> 1;
      const manifest = concatBytes(createAddress(A, 1n), createAddress(A, 2n));
      const { state, outcome } = run(execute, [[A, "create", kind]], {
        to: A,
        data: programInitCode("chunk", program.subarray(0, half)),
      });
      assert.equal(outcome.status, "success");
      const send = (to: Address | undefined, data: Bytes): Outcome =>
        execute(
          {
            fork: "osaka",
            block: TEST_BLOCK,
            transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] },
            state,
          },
          { caller: CALLER, to, value: 0n, data, gas: GAS },
        );
      assert.equal(send(A, programInitCode("chunk", program.subarray(half))).status, "success");
      const made = send(A, programInitCode(`${kind}Manifest`, manifest));
      const at = Address(made.output.slice(12));
      assert.equal(kindOf(state.code(at)), kind);
      assert.equal(state.code(at).length, 3 + 40);
      assert.deepEqual(send(at, EMPTY_BYTES).output.subarray(12, 32), new Uint8Array(at));
      assert.equal(send(createAddress(A, 1n), EMPTY_BYTES).fault, "vm/invalid-program");
    }
  });
}

/** Init code that deploys a role. */
function initCodeOf(role: RoleName, kind: TestKind): Bytes {
  if (kind !== "evm") return programInitCode(kind, payloadOf(role, kind));
  const code = roleCode(role, "evm");
  const header = (offset: number): Bytes =>
    assemble(BigInt(code.length), BigInt(offset), 0n, "CODECOPY", BigInt(code.length), 0n, "RETURN");
  return concatBytes(header(header(0).length + 1), code);
}
