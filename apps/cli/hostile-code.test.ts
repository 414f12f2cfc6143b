import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Address, type Bytes, concatBytes, createRandom, fromHex, toHex, unwrap } from "@ostrom/base";
import { signTransaction } from "@ostrom/execution";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, installNativeCrypto } from "@ostrom/runtime";
import { createAddress, programInitCode } from "@ostrom/vm";
import { roleCode } from "../../core/vm/contract-host/testing/roles.ts";
import { endlessCode, endlessModule, hoarder } from "../../core/vm/engine/testing/hostile-contracts.ts";
import { deploymentCases } from "../../core/vm/engine/testing/hostile-deployments.ts";
import {
  bombNamed,
  CREATING_LOOP,
  endless,
  LARGEST_INIT_CODE,
} from "../../core/vm/engine/testing/hostile-evm.ts";
import { RISCV_BOMBS } from "../../core/vm/engine/testing/hostile-riscv.ts";
import { WEBASSEMBLY_BOMBS } from "../../core/vm/engine/testing/hostile-webassembly.ts";
import { assemble } from "../../core/vm/testing/assemble.ts";
import { DEVELOPMENT_CHAIN_ID } from "./local-network.ts";
import { askMany, type RpcAnswer } from "./rpc-client.ts";
import { Sender } from "./testing/sender.ts";
import { createTestNetwork, LONG_WAIT_MS, type TestNetwork, waitUntil } from "./testing/test-network.ts";

// Code that means harm, deployed and called on a network of real processes: every validator comes to the same, the chain goes
// on, and every question is answered.

const MOST_GAS = 2n ** 24n;
/** RISC-V programs are compiled when they have spent half a million. */
const CALL_GAS = 2_000_000n;
const PAYLOAD_BYTES = 40_000;
const MALFORMED_FILES = 40;
const OVERRIDE_BYTES = 250_000;
/** Deployed by this account of the mnemonic; called by the next one. */
const [DEPLOYER, CALLER, PASSER_BY] = [0, 1, 2];

const INPUT_BYTES = 2n ** 19n;
const MUCH_INPUT: Bytes = endless(
  [1n, INPUT_BYTES, "MSTORE"],
  ...[0n, 0n, INPUT_BYTES, 0n, 99n, "GAS", "STATICCALL", "POP"],
);

type Receipt = {
  readonly status: string;
  readonly gasUsed: string;
  readonly blockHash: string;
  readonly contractAddress: string | null;
};
type Question = { readonly method: string; readonly params: readonly unknown[] };
type Sent = { readonly raw: string; readonly hash: string };

let network: TestNetwork;

before(async () => {
  installNativeCrypto();
  network = await createTestNetwork({ validators: 4 });
  await network.startAll();
});

after(async () => {
  await network.dispose();
});

/** Init code of EVM code. */
function deploying(code: Bytes): Bytes {
  const length = BigInt(code.length) + 0x10000n;
  const header = (offset: bigint): Bytes =>
    assemble(length, offset, 0n, "CODECOPY", length - 0x10000n, 0n, "RETURN");
  const size = header(0x10n).length;
  return concatBytes(header(BigInt(size)), code);
}

/** Init code of code that has the prefix. */
function deployingProgram(code: Bytes): Bytes {
  return programInitCode(code[2] === 1 ? "webassembly" : "riscv", code.subarray(3));
}

function bombs(): (readonly [name: string, initCode: Bytes])[] {
  const riscv = ["an end that all functions share", "a tree of calls", "two programs in the same bytes"];
  const webassembly = [
    "250 loops a function",
    "tables of 4,096 branches",
    "a table of 10,000 entries",
    "a tree of calls, 1,500 deep",
  ];
  const evm = [
    "jump destinations alone",
    "computed jumps among 4,000 entries",
    "MULMOD of three words",
    "calls",
  ];
  const makers = (["webassembly", "riscv"] as const).flatMap((kind) =>
    (kind === "riscv" ? RISCV_BOMBS : WEBASSEMBLY_BOMBS)
      .filter(({ name }) => (kind === "riscv" ? riscv : webassembly).includes(name))
      .map(({ name, make }) => [name, programInitCode(kind, make(PAYLOAD_BYTES))] as const),
  );
  return [
    ...evm.map((name) => [name, deploying(bombNamed(name))] as const),
    ...makers,
    ["endless EVM code", deploying(endlessCode("evm"))],
    ["an endless module", deployingProgram(endlessModule())],
    ["all memory in every EVM frame", deploying(hoarder("evm"))],
    ["all memory in every module's frame", deployingProgram(hoarder("webassembly"))],
    ["half a mebibyte of input for nobody, again and again", deploying(MUCH_INPUT)],
    ["a loop that creates", deploying(CREATING_LOOP)],
  ];
}

/** Signs transactions of an account, one after the other. */
function signer(
  account: number,
): (fields: { readonly to?: Address; readonly data?: Bytes; readonly gas: bigint }) => Sent {
  const { secretKey } = deriveAccounts(DEVELOPMENT_MNEMONIC, account + 1)[account]!;
  let nonce = 0n;
  return ({ to, data, gas }) => {
    const signed = signTransaction(
      {
        type: 2,
        chainId: BigInt(DEVELOPMENT_CHAIN_ID),
        nonce: nonce++,
        maxFeePerGas: 50n * 10n ** 9n,
        maxPriorityFeePerGas: 1n,
        gasLimit: gas,
        ...(to === undefined ? {} : { to }),
        ...(data === undefined ? {} : { data }),
      },
      unwrap(fromHex(secretKey)),
    );
    return { raw: toHex(signed.raw), hash: toHex(signed.hash) };
  };
}

async function submitAll(sent: readonly Sent[]): Promise<void> {
  const answers = await askMany(
    network.urls[0]!,
    sent.map(({ raw }) => ({ method: "eth_sendRawTransaction", params: [raw] })),
  );
  assert.deepEqual(
    answers.flatMap(({ error }) => error ?? []),
    [],
  );
}

/** Waits until every validator has receipts of all, which must be the same. */
async function receiptsOf(sent: readonly Sent[]): Promise<readonly Receipt[]> {
  const questions = sent.map(({ hash }) => ({ method: "eth_getTransactionReceipt", params: [hash] }));
  const all: Receipt[][] = [];
  for (const url of network.urls) {
    await waitUntil(`${sent.length} transactions are executed`, LONG_WAIT_MS, async () => {
      const answers = await askMany(url, questions);
      if (!answers.every(({ result }) => result != null)) return false;
      all.push(answers.map(({ result }) => result as Receipt));
      return true;
    });
  }
  for (const receipts of all) assert.deepEqual(receipts, all[0]);
  return all[0]!;
}

/** What validators answer to the same questions about the same block. */
async function sameAnswers(questions: readonly Question[]): Promise<readonly RpcAnswer[]> {
  const [first, second] = await Promise.all(network.urls.slice(1, 3).map((url) => askMany(url, questions)));
  assert.deepEqual(second, first);
  return first!;
}

test("bombs and malformed files, deployed and called by transactions, leave the same on every validator", async (context) => {
  const deploy = signer(DEPLOYER);
  const shapes = bombs();
  const deployments = shapes.map(([, data]) => deploy({ data, gas: MOST_GAS }));
  const malformed = [2, 3].flatMap((seed) => deploymentCases(seed).slice(0, MALFORMED_FILES / 2));
  const broken = malformed.map(({ data, gas }) => deploy({ data: data!, gas: gas + 1_000_000n }));
  const endless = (["webassembly", "riscv"] as const).map((kind) =>
    deploy({ data: deployingProgram(roleCode("burn", kind)), gas: MOST_GAS }),
  );
  await submitAll([...deployments, ...broken, ...endless]);
  const receipts = await receiptsOf([...deployments, ...broken, ...endless]);
  const deployer = Address(unwrap(fromHex(deriveAccounts(DEVELOPMENT_MNEMONIC, 1)[0]!.address)));
  for (const [index, [name]] of shapes.entries()) assert.equal(receipts[index]!.status, "0x1", name);
  const refused = receipts.slice(shapes.length).filter(({ status }) => status === "0x0").length;
  assert.ok(refused > MALFORMED_FILES / 2);

  const call = signer(CALLER);
  const initCode = new Uint8Array(LARGEST_INIT_CODE).fill(0x5b);
  const calls = [0, 1].flatMap(() =>
    shapes.map(([name], index) => {
      const to = createAddress(deployer, BigInt(index));
      return call({
        to,
        gas: name === "a loop that creates" ? 10_000_000n : CALL_GAS,
        data: name === "a loop that creates" ? initCode : new Uint8Array(70),
      });
    }),
  );
  await submitAll(calls);
  const called = await receiptsOf(calls);
  context.diagnostic(`${receipts.length} deployments, ${refused} refused; ${called.length} calls`);
  // Nobody loads a program twice, but each transaction pays for it: the same call costs the same.
  for (const [index, [name]] of shapes.entries()) {
    assert.equal(called[index]!.gasUsed, called[index + shapes.length]!.gasUsed, name);
  }
  await new Sender(PASSER_BY).finalize(network.urls);
});

test("bombs and malformed files are answered by eth_call and eth_estimateGas, alike by all validators", async (context) => {
  const to = "0x00000000000000000000000000000000000b0b00";
  const overridden = (code: Bytes): Question => ({
    method: "eth_call",
    params: [{ to, data: "0x" }, "earliest", { [to]: { code: toHex(code) } }],
  });
  const created = (data: Bytes, gas?: bigint): Question[] =>
    ["eth_call", "eth_estimateGas"].map((method) => ({
      method,
      params: [
        { data: toHex(data), ...(gas === undefined ? {} : { gas: `0x${gas.toString(16)}` }) },
        "earliest",
      ],
    }));
  const malformed = [12, 13].flatMap((seed) => deploymentCases(seed).slice(0, MALFORMED_FILES / 2));
  const questions: Question[] = [
    ...bombs().flatMap(([, initCode]) => created(initCode, 5_000_000n)),
    ...malformed.flatMap(({ data }) => created(data!)),
    ...(["evm", "webassembly", "riscv"] as const).flatMap((kind) => [
      overridden(endlessCode(kind)),
      overridden(hoarder(kind)),
    ]),
    overridden(new Uint8Array(1_000_000).fill(0x5b)),
    ...WEBASSEMBLY_BOMBS.map(({ make }) =>
      overridden(concatBytes(Uint8Array.of(0xef, 0x0a, 1), make(OVERRIDE_BYTES))),
    ),
    ...RISCV_BOMBS.map(({ make }) =>
      overridden(concatBytes(Uint8Array.of(0xef, 0x0a, 2), make(OVERRIDE_BYTES))),
    ),
    ...Array.from({ length: 40 }, (_, seed) =>
      overridden(concatBytes(Uint8Array.of(0xef, 0x0a), createRandom(seed).bytes(seed))),
    ),
  ];
  const answers: RpcAnswer[] = [];
  // One after another: a batch's answer may be only so long, and the largest codes come here.
  for (const question of questions) answers.push(...(await sameAnswers([question])));
  const codes = new Map<string, number>();
  for (const { error } of answers) {
    const code = error === undefined ? "answered" : `${error.code}`;
    codes.set(code, (codes.get(code) ?? 0) + 1);
    assert.ok(error === undefined || [3, -32_000].includes(error.code), `${error?.message}`);
  }
  context.diagnostic(
    `${answers.length} questions: ${[...codes].map(([code, count]) => `${code} ${count}`).join(", ")}`,
  );
  await new Sender(PASSER_BY + 1).finalize(network.urls);
});
