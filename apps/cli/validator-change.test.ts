import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { toHex, unwrap } from "@ostrom/base";
import {
  addConsensusKey,
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
  installNativeCrypto,
} from "@ostrom/runtime";
import { encodeFunctionData, type Hex } from "viem";
import { ask } from "./rpc-client.ts";
import { type StartedNode, startNodeProcess, stopNodes } from "./supervisor.ts";
import {
  changeValidators,
  finalizedReaches,
  manageValidators,
  OWNER_ABI,
  SHORT_EPOCH,
} from "./testing/managed-validators.ts";
import { type Newcomer, provisionNewcomer } from "./testing/newcomer.ts";
import {
  blockHashes,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

const [OWNER] = deriveAccounts(DEVELOPMENT_MNEMONIC, 1);
/** Accounts of the validators follow the funded ones. */
const ACCOUNTS = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + 4).slice(
  DEVELOPMENT_ACCOUNT_COUNT,
);
const ROTATED = 1;
const REMOVED = 3;
const JOINED = "validator-5";

const entropy = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

type Validators = {
  readonly epoch: Hex;
  readonly lastBlock: Hex;
  readonly validators: readonly { readonly name: string; readonly consensusKey: Hex }[];
};

let network: TestNetwork;
let joined: StartedNode | undefined;
let newcomer: Newcomer;

before(async () => {
  installNativeCrypto();
  network = await createTestNetwork({
    validators: 4,
    extraBalances: new Map([[ACCOUNTS[ROTATED]!.address, DEVELOPMENT_BALANCE]]),
  });
  manageValidators(network, OWNER!.address);
  newcomer = await provisionNewcomer(network, JOINED);
  await network.startAll();
});

after(async () => {
  if (joined !== undefined) await stopNodes([joined]);
  await network.dispose();
});

function validators(url: string, epoch?: number): Promise<Validators | null> {
  return ask<Validators | null>(url, "ostrom_getValidators", epoch === undefined ? [] : [epoch]);
}

test("one validator is removed, one changes its key, one joins: blocks go on, and all nodes have the same", async () => {
  const [first, second, third, fourth] = network.urls as [string, string, string, string];
  joined = startNodeProcess({
    name: JOINED,
    folder: newcomer.folder,
    onReport: () => undefined,
  });
  assert.equal((await joined.started).kind, "ready");

  const start = (await validators(first))!;
  const newKey = unwrap(addConsensusKey(network.folder(ROTATED), "next", entropy));
  await changeValidators(
    first,
    ACCOUNTS[ROTATED]!.secretKey,
    encodeFunctionData({
      abi: OWNER_ABI,
      functionName: "rotateConsensusKey",
      args: [
        start.validators[ROTATED]!.consensusKey,
        toHex(newKey.publicKey),
        toHex(newKey.proofOfPossession),
      ],
    }),
  );
  await changeValidators(
    first,
    OWNER!.secretKey,
    encodeFunctionData({
      abi: OWNER_ABI,
      functionName: "removeValidator",
      args: [start.validators[REMOVED]!.consensusKey],
    }),
  );
  await changeValidators(first, OWNER!.secretKey, newcomer.admission(OWNER!.address));

  let changed: Validators | null = null;
  await waitUntil("the changed set begins", 2 * LONG_WAIT_MS, async () => {
    changed = await validators(first);
    return changed?.validators.some(({ name }) => name === JOINED) === true;
  });
  assert.deepEqual(changed!.validators.map(({ name }) => name).sort(), [
    "validator-1",
    "validator-2",
    "validator-3",
    JOINED,
  ]);
  await finalizedReaches("the epoch of the changed set", Number(changed!.lastBlock) + 2, [
    first,
    second,
    third,
    fourth,
    newcomer.url,
  ]);
  assert.match(network.log(REMOVED), /this node is no validator any more/);

  // Of four, the two that stay as they were are no quorum: one of them gone, it takes the new one and the new key.
  await network.kill(2, "SIGKILL");
  const without = await blockNumber(first, "finalized");
  await finalizedReaches("without the third", without + SHORT_EPOCH, [first, second, fourth, newcomer.url]);
  await network.start(2);
  // Who restarts in a later epoch finds its way: the removed one as a follower.
  await network.kill(REMOVED, "SIGKILL");
  await network.start(REMOVED);
  const all = [first, second, third, fourth, newcomer.url];
  const goal = without + SHORT_EPOCH + 5;
  await finalizedReaches("after restarts", goal, all);
  // Each block names the one before it.
  const hashes = await Promise.all(all.map((url) => blockHashes(url, goal - SHORT_EPOCH, goal)));
  for (const other of hashes) assert.deepEqual(other, hashes[0]);
  assert.ok(hashes[0]!.every((hash) => hash !== undefined));
});
