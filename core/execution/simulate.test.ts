import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromHex,
  EMPTY_BYTES,
  hex,
  toHex,
  unwrap,
  wordToBytes,
  ZERO_HASH,
} from "@ostrom/base";
import { createAddress } from "@ostrom/vm";
import { webassemblyProgram } from "../vm/contract-host/testing/webassembly-program.ts";
import { createAccessList } from "./create-access-list.ts";
import { estimateGas } from "./estimate-gas.ts";
import { addressOfSecretKey, signAuthorization } from "./signature.ts";
import { type CallRequest, type Simulation, simulateCall } from "./simulate.ts";
import { testKey } from "./testing/random-transactions.ts";
import { contractAt, funded, RICH, TEST_CHAIN_ID, TestChain, testGenesis } from "./testing/test-chain.ts";
import { signTransaction } from "./transaction.ts";

const KEY = testKey(0);
const SENDER = addressOfSecretKey(KEY);
const at = (digits: string): Address => addressFromHex(digits.padStart(40, "0"));

/** Returns one word, which the code before it left on the stack. */
const RETURN_TOP = "60005260206000f3";
/** One word of call data to memory, and all of CALL's arguments but the address and the gas. */
const FORWARD = "60206000600037" + "60006000602060006000";
const CONTRACTS = {
  /** SSTORE(0, CALLDATALOAD(0)) */
  writer: [at("c1"), "60003560005500"],
  /** Sets slot 5, which genesis has at 1, to 0: a refund. */
  clearer: [at("c2"), "600060055500"],
  /** Calls `writer` with all gas, reverts if that fails. */
  caller: [at("c3"), `${FORWARD}60c15af1601b575f5ffd5b00`],
  /** Calls `caller`: two levels hold gas back. */
  outer: [at("c4"), `${FORWARD}60c35af1601b575f5ffd5b00`],
  /** Reverts with 32 bytes of call data. */
  reverter: [at("c5"), "60206000600037" + "60206000fd"],
  /** Reverts unless GAS is above 100,000. */
  greedy: [at("c6"), "620186a05a11600c575f5ffd5b00"],
  invalid: [at("c7"), "fe"],
  baseFee: [at("c8"), `48${RETURN_TOP}`],
  gasPrice: [at("c9"), `3a${RETURN_TOP}`],
  caller32: [at("ca"), `33${RETURN_TOP}`],
  number: [at("cb"), `43${RETURN_TOP}`],
  timestamp: [at("cc"), `42${RETURN_TOP}`],
  slotFive: [at("cd"), `600554${RETURN_TOP}`],
  slotSix: [at("ce"), `600654${RETURN_TOP}`],
  /** Adds slot 5 of its own and the balance of address 0xbb. */
  toucher: [at("cf"), `60055460bb3101${RETURN_TOP}`],
} as const;

const chain = new TestChain(
  testGenesis({
    accounts: [
      funded(SENDER),
      ...Object.values(CONTRACTS).map(([address, code]) => ({
        ...contractAt(address, hex(code)),
        storage: [{ slot: 5n, value: 1n }],
      })),
    ],
  }),
);
chain.execute([]);

function simulation(request: CallRequest, more: Partial<Simulation> = {}): Simulation {
  const { header } = chain.head;
  const { rules } = chain.genesis;
  return {
    rules,
    header,
    state: chain.state,
    blockHash: chain.blockHash,
    request,
    gasCap: 50_000_000n,
    ...more,
  };
}

function call(request: CallRequest, more: Partial<Simulation> = {}) {
  return unwrap(simulateCall(simulation(request, more)));
}

function word(request: CallRequest, more: Partial<Simulation> = {}): bigint {
  return BigInt(toHex(call(request, more).output));
}

/** Runs the request as a real transaction with this gas limit. @returns whether it ran and succeeded, and its gas. */
function execute(
  request: CallRequest,
  gasLimit: bigint,
): { succeeded: boolean; gasUsed: bigint | undefined } {
  const trial = new TestChain(chain.genesis);
  trial.execute([]);
  const { from: _, gas: __, gasPrice: ___, ...fields } = request;
  const type = request.authorizations === undefined ? (request.accessList === undefined ? 2 : 1) : 4;
  const transaction = signTransaction(
    {
      ...fields,
      type,
      chainId: TEST_CHAIN_ID,
      nonce: 0n,
      gasLimit,
      maxFeePerGas: 10n ** 12n,
      maxPriorityFeePerGas: 1n,
    },
    KEY,
  );
  const receipt = trial.execute([transaction.raw]).receipts[0];
  return { succeeded: receipt?.succeeded === true, gasUsed: receipt?.gasUsed };
}

const ONE = wordToBytes(1n);
const REQUESTS: Readonly<Record<string, CallRequest>> = {
  transfer: { from: SENDER, to: at("ee"), value: 1n },
  "transfer with data": { from: SENDER, to: at("ee"), value: 1n, data: hex("00ff00") },
  "much call data (EIP-7623)": { from: SENDER, to: at("ee"), data: new Uint8Array(5_000).fill(1) },
  write: { from: SENDER, to: at("c1"), data: ONE },
  refund: { from: SENDER, to: at("c2") },
  "one level of calls": { from: SENDER, to: at("c3"), data: ONE },
  "two levels of calls": { from: SENDER, to: at("c4"), data: ONE },
  "a threshold of gas": { from: SENDER, to: at("c6") },
  creation: { from: SENDER, data: hex(`600a600c600039600a6000f3${"5b".repeat(10)}`) },
  "an access list": {
    from: SENDER,
    to: at("c1"),
    data: ONE,
    accessList: [{ address: at("c1"), storageKeys: [ZERO_HASH] }],
  },
  "an authorization": {
    from: SENDER,
    to: at("c1"),
    data: ONE,
    authorizations: [signAuthorization({ chainId: 0n, address: at("c1"), nonce: 0n }, testKey(5))],
  },
};

for (const [name, request] of Object.entries(REQUESTS)) {
  test(`the estimate is the least gas with which it succeeds: ${name}`, () => {
    const estimate = unwrap(estimateGas(simulation(request)));
    assert.ok(estimate.kind === "estimated");
    assert.equal(execute(request, estimate.gas).succeeded, true);
    assert.equal(execute(request, estimate.gas - 1n).succeeded, false);
  });

  test(`a call uses the gas that a transaction pays for: ${name}`, () => {
    const gas = 300_000n;
    const outcome = call({ ...request, gas });
    const { succeeded, gasUsed } = execute(request, gas);
    assert.equal(outcome.status === "success", succeeded);
    assert.equal(outcome.gasUsed, gasUsed);
  });
}

test("a transfer needs 21000, and 21000 is also what a call without gas to spare gets", () => {
  assert.deepEqual(unwrap(estimateGas(simulation(REQUESTS["transfer"]!))), {
    kind: "estimated",
    gas: 21_000n,
  });
});

test("a failing estimate answers what the run comes to, with its revert data", () => {
  const data = hex("08c379a0".padEnd(64, "0"));
  const reverted = unwrap(estimateGas(simulation({ from: SENDER, to: at("c5"), data })));
  assert.ok(reverted.kind === "failed");
  assert.equal(reverted.outcome.status, "revert");
  assert.deepEqual(reverted.outcome.output, data);
  const invalid = unwrap(estimateGas(simulation({ from: SENDER, to: at("c7") })));
  assert.ok(invalid.kind === "failed");
  assert.deepEqual(
    [invalid.outcome.faultCode, invalid.outcome.fault],
    ["vm/invalid-opcode", "invalid opcode"],
  );
});

test("the reason why a program is invalid reaches whoever estimates its deployment", () => {
  const estimate = unwrap(estimateGas(simulation({ from: SENDER, data: hex("ef0a0200000003616263") })));
  assert.ok(estimate.kind === "failed");
  assert.equal(estimate.outcome.faultCode, "vm/invalid-program");
  assert.match(estimate.outcome.fault ?? "", /^invalid program: .*file/);
});

test("an estimate stays within what is asked, the cap, EIP-7825 and what the sender can pay", () => {
  const request = REQUESTS["a threshold of gas"]!;
  const failing = (more: CallRequest, gasCap = 50_000_000n): string | undefined => {
    const estimate = estimateGas(simulation({ ...request, ...more }, { gasCap }));
    if (!estimate.ok) return estimate.error.code;
    return estimate.value.kind === "failed" ? estimate.value.outcome.status : undefined;
  };
  assert.equal(failing({}), undefined);
  assert.equal(failing({ gas: 90_000n }), "revert");
  assert.equal(failing({}, 90_000n), "revert");
  assert.equal(failing({ maxFeePerGas: RICH / 90_000n }), "revert");
  assert.equal(failing({ maxFeePerGas: RICH }), "execution/insufficient-funds");
  const burner = { from: SENDER, to: at("c6"), gas: 30_000_000n };
  const estimate = unwrap(estimateGas(simulation(burner)));
  assert.ok(estimate.kind === "estimated" && estimate.gas < 2n ** 24n);
  const tooLittle = unwrap(estimateGas(simulation({ ...request, data: ONE }, { gasCap: 20_000n })));
  assert.ok(tooLittle.kind === "failed" && tooLittle.outcome.faultCode === "vm/out-of-gas");
});

test("a call is from the zero address unless it says otherwise, without nonce, and contracts may make it", () => {
  assert.equal(word({ to: at("ca") }), 0n);
  assert.equal(word({ to: at("ca"), from: at("c1") }), 0xc1n);
  const created = call({ from: SENDER, data: hex("00") });
  assert.equal(created.status, "success");
  assert.equal(chain.state.account(createAddress(SENDER, 0n)), undefined);
});

test("a call pays nothing unless it names a fee: GASPRICE and BASEFEE are 0 then", () => {
  const { baseFeePerGas } = chain.head.header;
  assert.equal(word({ to: at("c8") }), 0n);
  assert.equal(word({ to: at("c9") }), 0n);
  const priced = { from: SENDER, gasPrice: 2n * baseFeePerGas };
  assert.equal(word({ to: at("c8"), ...priced }), baseFeePerGas);
  assert.equal(word({ to: at("c9"), ...priced }), 2n * baseFeePerGas);
  const capped = { from: SENDER, maxFeePerGas: 2n * baseFeePerGas, maxPriorityFeePerGas: 3n };
  assert.equal(word({ to: at("c9"), ...capped }), baseFeePerGas + 3n);
  assert.equal(word({ to: at("c8") }, { blockOverride: { baseFeePerGas: 77n } }), 77n);
});

test("a call that cannot start says why", () => {
  const codeOf = (request: CallRequest): string | undefined => {
    const outcome = simulateCall(simulation(request));
    return outcome.ok ? undefined : outcome.error.code;
  };
  assert.equal(codeOf({ to: at("c1"), value: 1n }), "execution/insufficient-funds");
  assert.equal(codeOf({ from: SENDER, to: at("c1"), maxFeePerGas: 1n }), "execution/fee-below-base-fee");
  assert.equal(
    codeOf({ from: SENDER, to: at("c1"), maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 11n }),
    "execution/invalid",
  );
  assert.equal(codeOf({ from: SENDER, to: at("c1"), gas: 20_000n }), "execution/intrinsic-gas");
  assert.equal(
    codeOf({ from: SENDER, to: at("c1"), gas: 50_000n, gasPrice: RICH }),
    "execution/insufficient-funds",
  );
  assert.equal(codeOf({ from: SENDER, to: at("c1"), gasPrice: 10n ** 12n }), undefined);
});

test("a call may use more gas than EIP-7825 lets a transaction, up to the cap", () => {
  assert.equal(call({ to: at("c7") }).gasUsed, 50_000_000n);
  assert.equal(call({ to: at("c7"), gas: 90_000_000n }).gasUsed, 50_000_000n);
  assert.equal(call({ to: at("c7"), gas: 40_000_000n }).gasUsed, 40_000_000n);
});

test("revert data comes back", () => {
  const outcome = call({ to: at("c5"), data: wordToBytes(42n) });
  assert.deepEqual([outcome.status, BigInt(toHex(outcome.output))], ["revert", 42n]);
});

test("the block may be overridden", () => {
  assert.equal(word({ to: at("cb") }), 1n);
  assert.equal(word({ to: at("cb") }, { blockOverride: { number: 99n } }), 99n);
  assert.equal(word({ to: at("cc") }, { blockOverride: { timestamp: 5n } }), 5n);
});

test("accounts may be overridden: code, balance, nonce, all storage or some", () => {
  const five = at("cd");
  const six = at("ce");
  assert.equal(word({ to: five }), 1n);
  assert.equal(word({ to: five }, { accountOverrides: [{ address: five, storageDiff: [[6n, 8n]] }] }), 1n);
  assert.equal(word({ to: six }, { accountOverrides: [{ address: six, storageDiff: [[6n, 8n]] }] }), 8n);
  assert.equal(word({ to: five }, { accountOverrides: [{ address: five, storage: [[6n, 8n]] }] }), 0n);
  assert.equal(word({ to: five }, { accountOverrides: [{ address: five, storage: [] }] }), 0n);
  assert.equal(
    word({ to: at("ff") }, { accountOverrides: [{ address: at("ff"), code: hex(CONTRACTS.number[1]) }] }),
    1n,
  );
  const poor = { address: at("dd"), balance: 5n };
  assert.equal(
    call({ from: at("dd"), to: at("ee"), value: 5n }, { accountOverrides: [poor] }).status,
    "success",
  );
  const creator = { address: at("dd"), nonce: 9n, code: EMPTY_BYTES };
  const returnsAddress = { from: at("dd"), data: hex(`30${RETURN_TOP}`) };
  const created = call(returnsAddress, { accountOverrides: [creator] });
  assert.deepEqual(created.output.slice(12), createAddress(at("dd"), 9n));
});

test("a simulation leaves no trace in what it read", () => {
  const before = toHex(chain.state.stateRoot);
  const request = simulation({ from: SENDER, to: at("c1"), data: ONE });
  assert.deepEqual(simulateCall(request), simulateCall(request));
  assert.equal(toHex(chain.state.stateRoot), before);
});

test("an access list names the slots and accounts that a call touches, and makes it no dearer than it says", () => {
  const request = { from: SENDER, to: at("cf") };
  const { accessList, outcome } = unwrap(createAccessList(simulation(request)));
  assert.deepEqual(
    accessList.map(({ address, storageKeys }) => [toHex(address), storageKeys.map(toHex)]),
    [
      [toHex(at("cf")), [toHex(wordToBytes(5n))]],
      [toHex(at("bb")), []],
    ],
  );
  assert.equal(outcome.status, "success");
  assert.equal(outcome.gasUsed, execute({ ...request, accessList }, 300_000n).gasUsed);
});

test("an access list leaves out what is warm anyway and contracts that are created, and keeps what a revert touched", () => {
  const plain = unwrap(createAccessList(simulation({ from: SENDER, to: at("ca") })));
  assert.deepEqual(plain.accessList, []);
  const creation = unwrap(createAccessList(simulation({ from: SENDER, data: hex("60005ff000") })));
  assert.deepEqual(creation.accessList, []);
  // Calls `toucher` and reverts.
  const code = hex("600060006000600060cf5afa505f5ffd");
  const accountOverrides = [{ address: at("dd"), code }];
  const reverting = unwrap(
    createAccessList(simulation({ from: SENDER, to: at("dd") }, { accountOverrides })),
  );
  assert.equal(reverting.outcome.status, "revert");
  assert.deepEqual(
    reverting.accessList.map(({ address }) => toHex(address)),
    [toHex(at("cf")), toHex(at("bb"))],
  );
});

test("an access list names what programs touch, and the chunks that they consist of", () => {
  // Reads slot 0, whose key lies in its zeros, and asks for the balance of the account whose address lies at 32.
  const module = webassemblyProgram({
    pages: 1,
    imports: ["storage_load", "balance"],
    call: (code, callHost) => {
      code.i32Const(32).i64Const(-1n).i64Store();
      code.i32Const(0).i32Const(64);
      callHost("storage_load");
      code.i32Const(32).i32Const(64);
      callHost("balance");
      code.i32Const(0);
    },
  });
  const other = at("00");
  other.fill(0xff, 0, 8);
  const chunk = (bytes: Uint8Array): Uint8Array => Uint8Array.of(0xef, 0x0a, 0, ...bytes);
  const accountOverrides = [
    { address: at("d1"), code: chunk(module.subarray(0, 50)) },
    { address: at("d2"), code: chunk(module.subarray(50)) },
    { address: at("d3"), code: Uint8Array.of(0xef, 0x0a, 0x81, ...at("d1"), ...at("d2")) },
    { address: at("d4"), code: Uint8Array.of(0xef, 0x0a, 0x01, ...module) },
  ];
  const request = { from: SENDER, to: at("d3") };
  const { accessList, outcome } = unwrap(createAccessList(simulation(request, { accountOverrides })));
  assert.equal(outcome.status, "success");
  assert.deepEqual(
    accessList.map(({ address, storageKeys }) => [toHex(address), storageKeys.map(toHex)]),
    [
      [toHex(at("d3")), [toHex(new Uint8Array(32))]],
      [toHex(at("d1")), []],
      [toHex(at("d2")), []],
      [toHex(other), []],
    ],
  );
  const again = call({ ...request, accessList }, { accountOverrides });
  assert.equal(again.gasUsed, outcome.gasUsed);
  const whole = unwrap(createAccessList(simulation({ from: SENDER, to: at("d4") }, { accountOverrides })));
  assert.deepEqual(
    whole.accessList.map(({ address }) => toHex(address)),
    [toHex(at("d4")), toHex(other)],
  );
});

test("an authorization of a simulated call takes effect in it (EIP-7702)", () => {
  const authorizations = [
    signAuthorization({ chainId: TEST_CHAIN_ID, address: at("cb"), nonce: 0n }, testKey(5)),
  ];
  const authority = addressOfSecretKey(testKey(5));
  assert.equal(word({ from: SENDER, to: authority, authorizations }), 1n);
  assert.deepEqual(call({ from: SENDER, to: authority }).output, EMPTY_BYTES);
});
