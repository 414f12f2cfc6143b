import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { hex, unwrap } from "@ostrom/base";
import { SCHEME_BLS12381, SCHEME_ML_DSA_44 } from "@ostrom/crypto";
import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
  installNativeCrypto,
} from "@ostrom/runtime";
import { type AccountSigner, keyPairOf, keyPairSigner, type OnChainKeys, toAgileAccount } from "@ostrom/sdk";
import { encodeFunctionData, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { DEVELOPMENT_CHAIN_ID } from "./local-network.ts";
import { ask, askMany } from "./rpc-client.ts";
import type { SigningKeys } from "./signing-key.ts";
import { type StartedNode, startNodeProcess, stopNodes } from "./supervisor.ts";
import { type BlockWatch, watchBlocks } from "./testing/block-watch.ts";
import { followsWithoutCurves, proveEpochs } from "./testing/epoch-proofs.ts";
import { runInProcess } from "./testing/in-process.ts";
import { testKey, testKeyFile, testPublicKey } from "./testing/key-files.ts";
import {
  changeValidators,
  finalizedReaches,
  manageValidators,
  OWNER_ABI,
  SHORT_EPOCH,
} from "./testing/managed-validators.ts";
import { provisionNewcomer } from "./testing/newcomer.ts";
import { goesOn, type SteadyPayer, startPayer } from "./testing/steady-payer.ts";
import {
  assertSameBlocks,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";
import type { ToldSet } from "./validator-contracts.ts";

// A chain of Ethereum's cryptography outlives it: first its accounts, then its validators go over to post-quantum keys, then elliptic
// curves are declared broken, and from then on thieves have every secp256k1 key. Payments go on all the time.

const VALIDATORS = 4;
const TIMELOCK_SECONDS = 2;
const LATTICE = "ml-dsa-44";
const RECEIVER: Hex = "0x00000000000000000000000000000000000000aa";
const GAS = 300_000n;
const FEE = 50n * 10n ** 9n;
const EPOCHS_WAIT_MS = 3 * LONG_WAIT_MS;
const BREAKERS = [81, 82, 83] as const;
/** Numbers of the post-quantum keys. */
const KEYS = { owner: 1, rotatedBefore: 2, rotated: 3, hybrid: 4, committed: 5, moved: 6, thief: 7 };
const NEXT_SCHEME = "ml-dsa-65";
const NEWCOMER = "validator-5";

/** Who has which development account. */
const PEOPLE = [
  "owner",
  "rotated",
  "hybrid",
  "committed",
  "idle",
  "payer",
  "robbed",
  "moved",
  "anybody",
] as const;
type Person = (typeof PEOPLE)[number];
const derived = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + VALIDATORS);
const account = (who: Person) => derived[PEOPLE.indexOf(who)]!;
const addressOf = (who: Person): Hex => account(who).address;
/** Accounts of the validators follow the funded ones. */
const validatorAccounts = derived.slice(DEVELOPMENT_ACCOUNT_COUNT);

let network: TestNetwork;
let watch: BlockWatch | undefined;
let joined: StartedNode | undefined;
const payers: SteadyPayer[] = [];

before(async () => {
  installNativeCrypto();
  const breakers = BREAKERS.map((seed) => ({
    schemeId: SCHEME_ML_DSA_44,
    publicKey: testKey(LATTICE, seed).publicKey,
  }));
  network = await createTestNetwork({
    validators: VALIDATORS,
    extraBalances: new Map(validatorAccounts.map(({ address }) => [address, DEVELOPMENT_BALANCE])),
    keys: { timelockMinimum: TIMELOCK_SECONDS, breakers, breakThreshold: 2 },
  });
  manageValidators(network, addressOf("owner"));
  await network.startAll();
  watch = watchBlocks(() => network.urls);
});

after(async () => {
  await Promise.all(payers.map((payer) => payer.stop()));
  await watch?.stop();
  if (joined !== undefined) await stopNodes([joined]);
  await network?.dispose();
});

const genesisPath = (): string => join(network.folder(0), "genesis.json");
const url = (index = 0): string => network.urls[index]!;
const file = (scheme: string, seed: number): string => testKeyFile(network.directory, scheme, seed);
const byKey = (who: Person, scheme: string, seed: number): readonly string[] => [
  "--key-file",
  file(scheme, seed),
  "--sender",
  addressOf(who),
];
const byEthereum = (who: Person): readonly string[] => ["--dev", String(PEOPLE.indexOf(who))];
const signing = (who: Person, scheme: string, seed: number): SigningKeys => ({
  keys: [testKey(scheme, seed)],
  threshold: 1,
  sender: addressOf(who),
});

/** Types a command. @returns what it says, or why it refuses. */
async function ostrom(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runInProcess([...args, "--rpc", url()]);
  return code === 0 ? stdout.trim() : `refused: ${stderr.trim()}`;
}

const pay = (...from: readonly string[]): Promise<string> =>
  ostrom("send", "--to", RECEIVER, "--value", "1wei", ...from);

async function chainTime(): Promise<number> {
  const block = await ask<{ readonly timestamp: Hex }>(url(), "eth_getBlockByNumber", ["latest", false]);
  return Number(block.timestamp);
}

function reaches(seconds: number): Promise<void> {
  return waitUntil("a block of that time", LONG_WAIT_MS, async () => (await chainTime()) >= seconds);
}

const currentSet = (): Promise<ToldSet> => ask(url(), "ostrom_getValidators");

async function waitForSet(what: string, isSo: (set: ToldSet) => boolean): Promise<ToldSet> {
  let found: ToldSet | undefined;
  await waitUntil(what, EPOCHS_WAIT_MS, async () => {
    found = await currentSet();
    return isSo(found);
  });
  return found!;
}

async function accountsMove(): Promise<void> {
  const changes: readonly (readonly [RegExp, readonly string[]])[] = [
    [/acts by 1 of/, ["enroll", ...byEthereum("owner"), "--new", file(LATTICE, KEYS.owner)]],
    [/acts by 1 of/, ["enroll", ...byEthereum("moved"), "--new", file(LATTICE, KEYS.moved)]],
    [/acts by 1 of/, ["enroll", ...byEthereum("rotated"), "--new", file(LATTICE, KEYS.rotatedBefore)]],
    [/acts by 2 of/, ["enroll", ...byEthereum("hybrid"), "--keep", "--new", file(LATTICE, KEYS.hybrid)]],
    [
      /has committed/,
      ["protect", ...byEthereum("committed"), "--commit", testPublicKey(LATTICE, KEYS.committed)],
    ],
    [
      /Proposed at/,
      ["rotate", ...byKey("rotated", LATTICE, KEYS.rotatedBefore), "--new", file(NEXT_SCHEME, KEYS.rotated)],
    ],
  ];
  for (const [says, args] of changes) assert.match(await ostrom("account", ...args), says);
  const told = await ostrom("account", "keys", addressOf("rotated"), "--json");
  await reaches(JSON.parse(told).proposal.readyAt);
  assert.match(await ostrom("account", "apply", addressOf("rotated"), ...byEthereum("anybody")), /new keys/);
  assert.match(await pay(...byKey("rotated", LATTICE, KEYS.rotatedBefore)), /no more\) in the account's/);
  assert.match(await pay(...byEthereum("hybrid")), /2 keys of the account's key set must sign/);
  const both = [
    ...byEthereum("hybrid"),
    "--signer",
    file(LATTICE, KEYS.hybrid),
    "--sender",
    addressOf("hybrid"),
  ];
  assert.match(await pay(...both), /success/);
  assert.match(await pay(...byEthereum("committed")), /success/);
  assert.match(await pay(...byKey("committed", LATTICE, KEYS.committed)), /refused/, "not before the break");
}

/** The owner, whose account acts by ML-DSA-44, begins; each validator hands in a key. @returns the first set of the new scheme. */
async function validatorsTurn(): Promise<ToldSet> {
  const start = await currentSet();
  assert.equal(Number(start.schemeId), SCHEME_BLS12381);
  const begun = JSON.parse((await runInProcess(["validators", "scheme", LATTICE, "--json"])).stdout);
  await changeValidators(url(), signing("owner", LATTICE, KEYS.owner), begun.data);
  for (const [index, { secretKey }] of validatorAccounts.entries()) {
    const made = await ostrom("keys", "rotate", network.folder(index), "--scheme", LATTICE, "--json");
    await changeValidators(url(), secretKey, JSON.parse(made).data);
  }
  return waitForSet("an epoch of ML-DSA-44 begins", ({ schemeId }) => Number(schemeId) === SCHEME_ML_DSA_44);
}

/** A thief has a key by now, and enrolls one of its own with it; then the break is declared, as of before that. @returns its block. */
async function curvesBreak(): Promise<number> {
  const since = (await chainTime()) + 1;
  await reaches(since);
  const theft = await ostrom(
    "account",
    "enroll",
    ...byEthereum("robbed"),
    "--new",
    file(LATTICE, KEYS.thief),
  );
  assert.match(theft, /acts by 1 of/);
  assert.match(
    await pay(...byKey("robbed", LATTICE, KEYS.thief)),
    /success/,
    "nobody knows of the theft yet",
  );
  const [first, second] = BREAKERS;
  const declare = ["chain", "declare-broken", "--since", String(since)];
  const signed = await ostrom(...declare, "--breaker", file(LATTICE, second), "--sign-only");
  const keys = ["--breaker", file(LATTICE, first), "--signature", signed];
  const declared = await ostrom(...declare, ...keys, ...byKey("owner", LATTICE, KEYS.owner), "--json");
  assert.match(declared, /"since":\d+/);
  const [{ hash }] = [JSON.parse(declared) as { readonly hash: Hex }];
  const { blockNumber: block } = await ask<{ readonly blockNumber: Hex }>(
    url(),
    "eth_getTransactionReceipt",
    [hash],
  );
  return Number(block);
}

type Stolen = { readonly what: string; readonly raw: Hex };

/** All that somebody can sign who has an account's secp256k1 key. */
async function stolenBy(who: Person): Promise<readonly Stolen[]> {
  const { address, secretKey } = account(who);
  const nonce = Number(await ask<Hex>(url(), "eth_getTransactionCount", [address, "latest"]));
  const payment = { chainId: DEVELOPMENT_CHAIN_ID, nonce, gas: GAS, to: RECEIVER, value: 1n } as const;
  const wallet = privateKeyToAccount(secretKey);
  const elliptic = keyPairSigner(unwrap(keyPairOf("secp256k1", hex(secretKey))));
  const fees = { type: "eip1559", maxFeePerGas: FEE, maxPriorityFeePerGas: 1n } as const;
  const agile = (signer: AccountSigner, keySet?: OnChainKeys): Promise<Hex> => {
    const reader = keySet === undefined ? {} : { keySet: async () => keySet };
    return toAgileAccount({ address, signers: [signer], ...reader }).signTransaction({ ...payment, ...fees });
  };
  const { schemeId, publicKey } = elliptic;
  return [
    { what: "type 0", raw: await wallet.signTransaction({ ...payment, type: "legacy", gasPrice: FEE }) },
    { what: "type 2", raw: await wallet.signTransaction({ ...payment, ...fees }) },
    { what: "type 0x60, its own key", raw: await agile(elliptic) },
    {
      what: "type 0x60, a key of the set",
      raw: await agile(elliptic, { version: 1, threshold: 1, keys: [{ schemeId, publicKey }] }),
    },
    { what: "type 0x60, a new key", raw: await agile(keyPairSigner(testKey(LATTICE, KEYS.thief))) },
  ];
}

/** Every node's pool refuses what is signed with stolen keys, and says why. @returns how many it was. */
async function thievesAreRefused(): Promise<number> {
  let refused = 0;
  for (const who of PEOPLE) {
    const before = await worthOf(who);
    for (const { what, raw } of await stolenBy(who)) {
      for (const node of network.urls) {
        const [answer] = await askMany(node, [{ method: "eth_sendRawTransaction", params: [raw] }]);
        const { message = "accepted", data } = answer?.error ?? {};
        assert.match(
          message,
          /elliptic curves are broken|the sender's keys do not allow it/,
          `${who}, ${what}`,
        );
        assert.match((data as { readonly reason: string }).reason, /\/not-authorized$/);
        refused++;
      }
    }
    if (who !== "moved") assert.deepEqual(await worthOf(who), before, who);
  }
  return refused;
}

async function worthOf(who: Person): Promise<readonly string[]> {
  const methods = ["eth_getBalance", "eth_getTransactionCount"];
  return Promise.all(methods.map((method) => ask<string>(url(), method, [addressOf(who), "latest"])));
}

/** Post-quantum keys act on; what elliptic keys did after the break, and who did nothing, do not. */
async function accountsAfterTheBreak(): Promise<void> {
  assert.match(await pay(...byKey("committed", LATTICE, KEYS.committed)), /success/);
  assert.match(await pay(...byKey("hybrid", LATTICE, KEYS.hybrid)), /success/);
  assert.match(await pay(...byKey("rotated", NEXT_SCHEME, KEYS.rotated)), /success/);
  assert.match(
    await pay(...byKey("rotated", LATTICE, KEYS.rotatedBefore)),
    /refused: .*in the account's key/,
  );
  assert.match(await pay(...byKey("robbed", LATTICE, KEYS.thief)), /refused: /);
  assert.match(await pay(...byEthereum("idle")), /refused: .*elliptic curves are broken/);
  const rescue = ["account", "enroll", ...byEthereum("idle"), "--new", file(LATTICE, KEYS.thief)];
  assert.match(await ostrom(...rescue), /refused: /);
}

/** The owner gives a validator an account that is not frozen, which changes the validator's key: no elliptic key is needed for it. */
async function validatorsAreManaged(): Promise<void> {
  const { consensusKey, name } = (await currentSet()).validators[0]!;
  const handOver = encodeFunctionData({
    abi: OWNER_ABI,
    functionName: "setAccount",
    args: [consensusKey, addressOf("rotated")],
  });
  await changeValidators(url(), signing("owner", LATTICE, KEYS.owner), handOver);
  const folder = network.file.nodes.findIndex((node) => node.name === name);
  const made = JSON.parse(await ostrom("keys", "rotate", network.folder(folder), "--json"));
  await changeValidators(url(), signing("rotated", NEXT_SCHEME, KEYS.rotated), made.data);
  await waitForSet("the new key votes", ({ validators }) =>
    validators.some((validator) => validator.consensusKey === made.publicKey),
  );
}

/** The owner lets a new machine in, which has a key of ML-DSA-44 and nothing of the chain but genesis. @returns where it is asked. */
async function newcomerJoins(): Promise<string> {
  const newcomer = await provisionNewcomer(network, NEWCOMER, SCHEME_ML_DSA_44);
  joined = startNodeProcess({ name: NEWCOMER, folder: newcomer.folder, onReport: () => undefined });
  assert.equal((await joined.started).kind, "ready");
  const data = newcomer.admission(addressOf("rotated"));
  await changeValidators(url(), signing("owner", LATTICE, KEYS.owner), data);
  await waitForSet("the newcomer validates", ({ validators }) =>
    validators.some(({ name }) => name === NEWCOMER),
  );
  return newcomer.url;
}

test("a chain under load goes over from elliptic curves to post-quantum keys, and stolen secp256k1 keys are worth nothing", async (context) => {
  const began = performance.now();
  const tell = (what: string): void => {
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    context.diagnostic(`${seconds} s, block ${watch!.head()}: ${what}`);
  };
  const ethereum = await startPayer(url(1), account("payer").secretKey, RECEIVER);
  payers.push(ethereum);
  await goesOn(watch!, [ethereum]);
  await accountsMove();
  const moved = await startPayer(url(2), signing("moved", LATTICE, KEYS.moved), RECEIVER);
  payers.push(moved);
  await goesOn(watch!, payers);
  tell("accounts have post-quantum keys");
  const { firstBlock, epoch: turned } = await validatorsTurn();
  await goesOn(watch!, payers);
  tell(`validators vote by ML-DSA-44 from block ${Number(firstBlock)} on`);

  const broken = await curvesBreak();
  await finalizedReaches("after the break", broken + 1, network.urls);
  assert.match((await ethereum.stop()) ?? "it paid on", /elliptic curves are broken/);
  assert.ok(Math.max(...ethereum.blocks) <= broken && Math.max(...ethereum.blocks) > Number(firstBlock));
  await goesOn(watch!, [moved]);
  tell(`elliptic curves are broken since block ${broken}`);
  const { proved } = await proveEpochs(genesisPath(), Number(turned) - 1, url());
  assert.ok(
    proved.some(({ epoch }) => epoch < Number(turned)),
    "epochs of BLS12-381 are proved by ML-DSA",
  );
  tell(`checkpoints of epochs ${proved.map(({ epoch }) => epoch).join(", ")} hold without a curve`);
  await accountsAfterTheBreak();
  tell(`pools have refused ${await thievesAreRefused()} thefts`);
  await validatorsAreManaged();

  const newcomer = await newcomerJoins();
  const all = [...network.urls, newcomer];
  const target = Math.max(broken + SHORT_EPOCH, await blockNumber(url(), "finalized"));
  await finalizedReaches("the newcomer too", target, all);
  await assertSameBlocks(all, target);
  tell(`${all.length} nodes have the same ${target} blocks`);
  const known = await proveEpochs(genesisPath(), Number(turned) + 1, newcomer);
  await followsWithoutCurves(known, [newcomer]);
  tell(`the newcomer proves ${known.proved.length} epochs from genesis, also those after the change`);
  await goesOn(watch!, [moved]);
  assert.equal(await moved.stop(), undefined);
  const { ms, after: block } = watch!.longestGap();
  tell(`blocks never stopped: the longest time between two ${(ms / 1_000).toFixed(1)} s, after ${block}`);
});
