import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, hex, toHex, unwrap, Weight } from "@ostrom/base";
import { HASH_KECCAK256 } from "@ostrom/crypto";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { createAddress } from "@ostrom/vm";
import solc from "solc";
import { genesisBlock, genesisHash, genesisState } from "./genesis.ts";
import { formatGenesis } from "./genesis-format.ts";
import { parseGenesis } from "./genesis-json.ts";
import { createGenesis } from "./genesis-profiles.ts";
import { hashHeader } from "./header.ts";
import { MULTICALL3_CODE } from "./multicall3-code.ts";
import {
  DEPLOYMENT_PROXY_ADDRESS,
  DEPLOYMENT_PROXY_CODE,
  HISTORY_STORAGE_ADDRESS,
  MULTICALL3_ADDRESS,
} from "./system-contracts.ts";
import { funded, TestChain, testGenesis, testValidator } from "./testing/test-chain.ts";
import { completeFields, decodeSignedTransaction } from "./transaction.ts";
import { encodeTransaction } from "./transaction-encoding.ts";
import {
  readValidatorSet,
  VALIDATOR_SET_ADDRESS,
  type Validator,
  validatorSetAccount,
} from "./validator-set.ts";

const TO = addressFromHex("00000000000000000000000000000000000000aa");
const GENESIS = testGenesis({ accounts: [funded(TO)], validators: 3 });

/** The JSON value with one place replaced; `undefined` takes it out. */
function withValue(path: string, value: unknown): unknown {
  const json = JSON.parse(JSON.stringify(formatGenesis(GENESIS))) as Record<string, unknown>;
  const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
  const last = keys.pop()!;
  let place: Record<string, unknown> = json;
  for (const key of keys) place = place[key] as Record<string, unknown>;
  if (value === undefined) delete place[last];
  else place[last] = value;
  return json;
}

function failureOf(json: unknown): readonly [code: string, path: string] {
  const parsed = parseGenesis(json);
  assert.ok(!parsed.ok, "must be refused");
  assert.ok(parsed.error.message.startsWith(parsed.error.path), parsed.error.message);
  return [parsed.error.code, parsed.error.path];
}

test("a genesis of each profile survives being written and read", () => {
  for (const profile of ["dev", "alliance", "public", "cbdc"] as const) {
    const genesis = createGenesis({
      profile,
      chainId: 5n,
      timestampMs: 1_700_000_000_000,
      validators: [testValidator(0), testValidator(1)],
      accounts: [
        { address: TO, balance: 5n, nonce: 3n, code: hex("6001"), storage: [{ slot: 7n, value: 9n }] },
      ],
    });
    const json: unknown = JSON.parse(JSON.stringify(formatGenesis(genesis)));
    assert.deepEqual(unwrap(parseGenesis(json)), genesis);
  }
});

test("amounts may be written as decimal text, hex text or numbers; the hash is of the values", () => {
  const address = toHex(TO);
  for (const balance of ["1000000000000000000000000", "0xd3c21bcecceda1000000"]) {
    const parsed = unwrap(parseGenesis(withValue(`alloc.${address}.balance`, balance)));
    assert.equal(toHex(genesisHash(parsed)), toHex(genesisHash(GENESIS)));
  }
  const parsed = unwrap(parseGenesis(withValue("gas.blockGasLimit", 30_000_000)));
  assert.equal(toHex(genesisHash(parsed)), toHex(genesisHash(GENESIS)));
});

test("each wrong setting is told with its code and its place", () => {
  const wrong: readonly (readonly [path: string, value: unknown, code: string, at?: string])[] = [
    ["chainId", undefined, "genesis/missing"],
    ["chainId", "1337", "genesis/wrong-type"],
    ["chainId", 0, "genesis/out-of-range"],
    ["chainId", 2 ** 53, "genesis/wrong-type"],
    ["format", 2, "genesis/unsupported"],
    ["profile", "prod", "genesis/unsupported"],
    ["color", "red", "genesis/unknown-key"],
    ["keys.timelockMinimum", -1, "genesis/out-of-range"],
    ["keys.breakThreshold", 1, "genesis/out-of-range"],
    [
      "keys.breakers",
      [{ scheme: "sm2", publicKey: "0x" }],
      "genesis/inconsistent",
      "keys.breakers[0].scheme",
    ],
    [
      "keys.breakers",
      [{ scheme: "ml-dsa-44", publicKey: "0x00" }],
      "genesis/out-of-range",
      "keys.breakers[0].publicKey",
    ],
    ["forks", [{ fork: "cancun", fromTimestamp: 0 }], "genesis/inconsistent", "keys"],
    ["suite.hash", "sha256", "genesis/unsupported"],
    ["suite.consensus", "ed25519", "genesis/unsupported"],
    ["forks", [], "genesis/inconsistent"],
    ["forks[0].fork", "london", "genesis/unsupported"],
    ["forks[0].fromTimestamp", 5, "genesis/inconsistent"],
    ["gas.blockGasLimit", "-1", "genesis/wrong-type"],
    ["gas.blockGasLimit", "1e6", "genesis/wrong-type"],
    ["gas.blockGasLimit", "1000", "genesis/out-of-range"],
    ["gas.executionWindowGas", "1000000", "genesis/inconsistent"],
    ["gas.charge", "all", "genesis/unsupported"],
    ["fees.baseFeeChangeDenominator", 0, "genesis/out-of-range"],
    ["fees.initialBaseFeePerGas", "5", "genesis/inconsistent"],
    ["epochLength", 0, "genesis/out-of-range"],
    ["epochLength", 1.5, "genesis/wrong-type"],
    ["consensus.emptyBlockIntervalMs", 1, "genesis/inconsistent"],
    ["consensus.maxDeltaMs", 1, "genesis/inconsistent"],
    ["consensus.maxPayloadBytes", 1000, "genesis/out-of-range"],
    ["alloc", [], "genesis/wrong-type"],
    ["alloc.0x12", { balance: "1" }, "genesis/out-of-range"],
    [`alloc.${toHex(TO).toUpperCase().replace("0X", "0x")}`, { balance: "1" }, "genesis/duplicate"],
    [`alloc.${toHex(VALIDATOR_SET_ADDRESS)}`, { balance: "1" }, "genesis/inconsistent"],
    [`alloc.${toHex(TO)}`, { balance: "0" }, "genesis/inconsistent"],
    [`alloc.${toHex(TO)}.balance`, (2n ** 256n).toString(), "genesis/out-of-range"],
    [`alloc.${toHex(TO)}.balance`, (2n ** 256n - 1n).toString(), "admitted"],
    [`alloc.${toHex(TO)}.code`, `0x${"00".repeat(24_577)}`, "genesis/out-of-range"],
    [
      `alloc.${toHex(TO)}.storage`,
      { "0x1": "0x01" },
      "genesis/out-of-range",
      `alloc.${toHex(TO)}.storage.0x1`,
    ],
    [
      `alloc.${toHex(TO)}.storage`,
      { "0x01": "0x01", "0x0001": "0x01" },
      "genesis/duplicate",
      `alloc.${toHex(TO)}.storage.0x0001`,
    ],
    ["validators", [], "genesis/inconsistent"],
    ["validators[2].weight", 0, "genesis/out-of-range"],
    ["validators[2].weight", Number.MAX_SAFE_INTEGER, "genesis/inconsistent", "validators"],
    ["validators[1].name", "validator-0", "genesis/duplicate"],
    ["validators[1].name", "a b", "genesis/out-of-range"],
    ["validators[1].host", "http://x", "genesis/out-of-range"],
    ["validators[1].port", 65_536, "genesis/out-of-range"],
    ["validators[1].transportKey", toHex(testValidator(0).transportKey), "genesis/duplicate"],
    ["validators[1].consensusKey", "0x00", "genesis/out-of-range"],
    ["validators[1].consensusKey", "00", "genesis/wrong-type"],
    [
      "validators[1].proofOfPossession",
      toHex(testValidator(0).proofOfPossession),
      "genesis/bad-proof-of-possession",
    ],
    ["validators[0].address", "0xzz00000000000000000000000000000000000000", "genesis/out-of-range"],
  ];
  for (const [path, value, code, at] of wrong) {
    if (code === "admitted") continue;
    const base = path === "fees.initialBaseFeePerGas" ? withMinimum() : undefined;
    assert.deepEqual(
      failureOf(base ?? withValue(path, value)),
      [code, at ?? path],
      `${path} = ${String(value)}`,
    );
  }
  for (const value of [undefined, null, 5, "genesis", []])
    assert.deepEqual(failureOf(value), ["genesis/wrong-type", ""]);
});

function withMinimum(): unknown {
  const json = withValue("fees.minBaseFeePerGas", "6") as { fees: { initialBaseFeePerGas: string } };
  json.fees.initialBaseFeePerGas = "5";
  return json;
}

test("code may be as long as what can be deployed: a program in one piece longer than the EVM's", () => {
  const lengthOf = (prefix: string, bytes: number): unknown => {
    const json = withValue(`alloc.${toHex(TO)}.code`, `0x${prefix}${"00".repeat(bytes - prefix.length / 2)}`);
    const parsed = parseGenesis(json);
    return parsed.ok
      ? parsed.value.alloc.find(({ address }) => toHex(address) === toHex(TO))?.code.length
      : parsed.error.code;
  };
  for (const program of ["ef0a01", "ef0a02"]) {
    assert.equal(lengthOf(program, 49_148), 49_148);
    assert.equal(lengthOf(program, 49_149), "genesis/out-of-range");
  }
  for (const other of ["00", "ef0a00", "ef0a03"]) {
    assert.equal(lengthOf(other, 24_576), 24_576);
    assert.equal(lengthOf(other, 24_577), "genesis/out-of-range");
  }
});

test("all balances together must stay below 2^256", () => {
  const json = withValue(`alloc.${toHex(TO)}.balance`, (2n ** 256n - 1n).toString()) as {
    alloc: Record<string, unknown>;
  };
  assert.ok(parseGenesis(json).ok);
  json.alloc[`0x${"bb".repeat(20)}`] = { balance: "1" };
  assert.deepEqual(failureOf(json), ["genesis/inconsistent", `alloc.0x${"bb".repeat(20)}`]);
});

test("rule sets must follow each other in time and order", () => {
  const forks = (list: readonly (readonly [string, number])[]): unknown => ({
    ...(withValue(
      "forks",
      list.map(([fork, fromTimestamp]) => ({ fork, fromTimestamp })),
    ) as object),
    keys: null,
  });
  assert.ok(
    parseGenesis(
      forks([
        ["cancun", 0],
        ["prague", 5],
        ["osaka", 6],
      ]),
    ).ok,
  );
  assert.deepEqual(
    failureOf(
      forks([
        ["prague", 0],
        ["cancun", 5],
      ]),
    ),
    ["genesis/inconsistent", "forks[1]"],
  );
  assert.deepEqual(
    failureOf(
      forks([
        ["cancun", 0],
        ["prague", 0],
      ]),
    ),
    ["genesis/inconsistent", "forks[1]"],
  );
});

test("the genesis hash depends on every parameter, account and validator", () => {
  const changes: readonly (readonly [string, unknown])[] = [
    ["profile", "alliance"],
    ["keys", null],
    ["keys.timelockMinimum", 11],
    ["chainId", 1338],
    ["timestampMs", 1_700_000_000_001],
    ["forks[0].fork", "prague"],
    ["gas.blockGasLimit", "60000001"],
    ["gas.executionWindowGas", "960000001"],
    ["gas.charge", "used-or-half-limit"],
    ["fees.initialBaseFeePerGas", "1000000001"],
    ["fees.minBaseFeePerGas", "1"],
    ["fees.baseFeeChangeDenominator", 8],
    ["fees.elasticityMultiplier", 3],
    ["epochLength", 70_000],
    ["epochLead", 7],
    ["consensus.minBlockIntervalMs", 7],
    ["consensus.emptyBlockIntervalMs", 7_000],
    ["consensus.deltaMs", 7],
    ["consensus.deltaGrowthPercent", 170],
    ["consensus.maxDeltaMs", 7_000],
    ["consensus.standstillMs", 7],
    ["consensus.fetchRetryMs", 7],
    ["consensus.clockToleranceMs", 7],
    ["consensus.maxPayloadBytes", 1_000_000],
    [`alloc.${toHex(TO)}.balance`, "7"],
    ["validators[0].weight", 7],
    ["validators[0].port", 7],
  ];
  const hashes = changes.map(([path, value]) =>
    toHex(genesisHash(unwrap(parseGenesis(withValue(path, value))))),
  );
  assert.equal(new Set([...hashes, toHex(genesisHash(GENESIS))]).size, changes.length + 1);
});

test("the genesis block is number 0, has the time and the fee of genesis, and 32 bytes of extra data", () => {
  const state = new MemoryState();
  const { stateRoot } = state.commit(genesisState(GENESIS));
  const { header, hash } = genesisBlock(GENESIS, stateRoot);
  assert.equal(header.number, 0);
  assert.equal(header.timestamp, 1_700_000_000);
  assert.equal(header.baseFeePerGas, 1_000_000_000n);
  assert.equal(header.extraData.length, 32);
  assert.deepEqual(hash, hashHeader(header, HASH_KECCAK256));
  assert.deepEqual(hash, genesisHash(GENESIS));
  assert.ok(state.code(state.account(HISTORY_STORAGE_ADDRESS)!.codeHash).length > 0);
});

test("the validator set is read back from state, with long names, hosts and weights", () => {
  const long: Validator = {
    ...testValidator(0),
    name: "n".repeat(64),
    host: `${"h".repeat(200)}.example`,
    weight: Weight(2 ** 50),
    port: 65_535,
    transportKey: new Uint8Array(32),
  };
  for (const validators of [[long], [testValidator(1), long, testValidator(2)]]) {
    const set = { schemeId: 1, validators };
    assert.deepEqual(unwrap(readValidatorSet(MemoryState.of([validatorSetAccount(set)]))), set);
  }
  const absent = readValidatorSet(new MemoryState());
  assert.equal(!absent.ok && absent.error.code, "validators/unreadable");
});

test("the account of the validator set stays when it is touched (EIP-161)", () => {
  const state = MemoryState.of([validatorSetAccount(GENESIS.validatorSet)]);
  const overlay = new StateOverlay(state);
  overlay.beginTransaction();
  overlay.touch(VALIDATOR_SET_ADDRESS);
  overlay.endTransaction();
  assert.equal(overlay.changes().accounts.size, 0);
  assert.equal(overlay.exists(VALIDATOR_SET_ADDRESS), true);
});

const READER_SOURCE = `
pragma solidity ^0.8.0;
contract Reader {
  struct Validator {
    address feeRecipient; uint64 weight; uint16 port;
    bytes consensusKey; bytes proofOfPossession; bytes transportKey; string name; string host;
  }
  uint256 public formatVersion;
  uint256 public schemeId;
  Validator[] public validators;
}`;

test("a Solidity contract in the place of the account reads the same set from the same storage", async () => {
  const input = {
    language: "Solidity",
    sources: { "Reader.sol": { content: READER_SOURCE } },
    settings: { evmVersion: "cancun", outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } } },
  };
  const output = JSON.parse((solc as { compile(input: string): string }).compile(JSON.stringify(input)));
  const code = hex(output.contracts["Reader.sol"].Reader.evm.deployedBytecode.object);
  const { decodeFunctionResult, encodeFunctionData, parseAbi } = await import("viem");
  const { simulateCall } = await import("./simulate.ts");
  const abi = parseAbi([
    "function schemeId() view returns (uint256)",
    "function validators(uint256) view returns (address, uint64, uint16, bytes, bytes, bytes, string, string)",
  ]);
  const chain = new TestChain(GENESIS);
  const call = (data: `0x${string}`): `0x${string}` => {
    const outcome = unwrap(
      simulateCall({
        rules: GENESIS.rules,
        header: chain.head.header,
        state: chain.state,
        blockHash: chain.blockHash,
        request: { to: VALIDATOR_SET_ADDRESS, data: hex(data) },
        accountOverrides: [{ address: VALIDATOR_SET_ADDRESS, code }],
        gasCap: 10_000_000n,
      }),
    );
    assert.equal(outcome.status, "success");
    return toHex(outcome.output);
  };
  const schemeId = call(encodeFunctionData({ abi, functionName: "schemeId" }));
  assert.equal(decodeFunctionResult({ abi, functionName: "schemeId", data: schemeId }), 1n);
  GENESIS.validatorSet.validators.forEach((validator, index) => {
    const data = call(encodeFunctionData({ abi, functionName: "validators", args: [BigInt(index)] }));
    const [address, weight, port, ...rest] = decodeFunctionResult({ abi, functionName: "validators", data });
    assert.equal(address.toLowerCase(), toHex(validator.address));
    assert.equal(weight, BigInt(validator.weight));
    assert.equal(port, validator.port);
    const { consensusKey, proofOfPossession, transportKey, name, host } = validator;
    assert.deepEqual(rest, [toHex(consensusKey), toHex(proofOfPossession), toHex(transportKey), name, host]);
  });
});

/** Rebuilds the transaction that deploys a contract at the same address on every chain: nobody has its key, the signature was
 * chosen. Other code would make the same signature recover another deployer, and so another address. */
function keylessAddress(
  initCode: Uint8Array,
  gasLimit: bigint,
  signature: { yParity: 0 | 1; r: bigint; s: bigint },
): string {
  const fields = completeFields({ type: 0, gasLimit, maxFeePerGas: 100_000_000_000n, data: initCode });
  const { sender } = unwrap(decodeSignedTransaction(encodeTransaction(fields, signature)));
  return toHex(createAddress(sender, 0n));
}

test("the deployment proxy and Multicall3 are to the bit what their keyless transactions deploy", () => {
  const two = BigInt(`0x${"22".repeat(32)}`);
  const proxyInit = hex(`604580600e600039806000f350fe${toHex(DEPLOYMENT_PROXY_CODE).slice(2)}`);
  assert.equal(
    keylessAddress(proxyInit, 100_000n, { yParity: 0, r: two, s: two }),
    toHex(DEPLOYMENT_PROXY_ADDRESS),
  );
  const multicallInit = hex(
    `608060405234801561001057600080fd5b50610ee0806100206000396000f3fe${toHex(MULTICALL3_CODE).slice(2)}`,
  );
  const signature = {
    yParity: 1,
    r: 0xedce47092c0f398cebf3ffc267f05c8e7076e3b89445e0fe50f6332273d4569bn,
    s: 0x1b0b9d000e19b24c5869b0fc3b22b0d6fa47cd63316875cbbd577d76e6fde086n,
  } as const;
  assert.equal(keylessAddress(multicallInit, 1_000_000n, signature), toHex(MULTICALL3_ADDRESS));
});
