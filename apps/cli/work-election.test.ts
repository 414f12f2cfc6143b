import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCli } from "./testing/cli-process.ts";
import {
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";
import type { ToldSet } from "./validator-contracts.ts";

const EPOCH_LENGTH = 40;
const EPOCH_LEAD = 5;
/** One hash in 4096 is a ticket. */
const TARGET = `0x000f${"f".repeat(60)}`;
const HOST = "127.0.0.1";
/** Development account 0. */
const MINER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

let network: TestNetwork;
let url: string;
let folder: string;

before(async () => {
  network = await createTestNetwork({ validators: 1 });
  folder = network.folder(0);
  url = network.urls[0]!;
  const path = join(folder, "genesis.json");
  const genesis = JSON.parse(readFileSync(path, "utf8"));
  Object.assign(genesis, {
    epochLength: EPOCH_LENGTH,
    epochLead: EPOCH_LEAD,
    validatorSets: {
      kind: "work",
      initialTarget: TARGET,
      ticketsPerEpoch: 4,
      windowEpochs: 8,
      minValidators: 1,
      maxValidators: 4,
    },
    consensus: { ...genesis.consensus, minBlockIntervalMs: 50, emptyBlockIntervalMs: 150 },
  });
  // Only the account that genesis names may hand in the keys of its validator.
  genesis.validators[0].address = MINER;
  writeFileSync(path, JSON.stringify(genesis));
  await network.startAll();
});

after(() => network.dispose());

async function succeed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args);
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

async function currentSet(): Promise<ToldSet> {
  const [line] = (await succeed("validators", "--rpc", url, "--json")).split("\n");
  return JSON.parse(line!) as ToldSet;
}

/** Waits for an epoch whose set is as it should be. */
async function elected(what: string, isWanted: (set: ToldSet) => boolean): Promise<ToldSet> {
  let set: ToldSet | undefined;
  await waitUntil(what, 2 * LONG_WAIT_MS, async () => {
    set = await currentSet();
    return isWanted(set);
  });
  return set!;
}

test("work elects the validator, a ticket changes its key, and blocks go on under each", async () => {
  const { linkPort } = network.file.nodes[0]!;
  const where = ["--rpc", url, "--keys", folder, "--host", `${HOST}:${linkPort}`, "--dev", "0"];
  const first = await currentSet();
  assert.equal(first.validators[0]?.name, "validator-1");
  const told = await succeed("work", ...where, "--tickets", "2");
  assert.match(told, /ticket 1: nonce \d+.*\nticket 2: nonce \d+/);

  const isMiner = (set: ToldSet): boolean => set.validators.some(({ name }) => name.startsWith("miner-"));
  const mined = await elected("the miner is elected", isMiner);
  assert.equal(mined.validators.length, 1);
  assert.equal(Number(mined.validators[0]!.weight), 2);
  assert.equal(mined.validators[0]!.consensusKey, first.validators[0]!.consensusKey);
  assert.equal(Number(mined.validators[0]!.port), linkPort);

  const made = JSON.parse(await succeed("keys", "rotate", folder, "--rpc", url, "--json")) as {
    readonly publicKey: string;
    readonly previous: string;
  };
  assert.equal(made.previous, first.validators[0]!.consensusKey);
  await succeed("work", ...where, "--consensus-key", made.publicKey, "--tickets", "1");
  const changed = await elected(
    "the new key",
    ({ validators }) => validators[0]?.consensusKey === made.publicKey,
  );
  const goal = Number(changed.firstBlock) + 2;
  await waitUntil(
    "blocks signed with the new key",
    LONG_WAIT_MS,
    async () => (await blockNumber(url, "finalized")) >= goal,
  );

  const table = await succeed("validators", "--rpc", url);
  assert.match(
    table,
    /^Epoch \d+ \(now\), blocks \d+ to \d+, weight \d+, bls12-381:\nname +weight +consensus key/,
  );
  const refused = await runCli(["keys", "rotate", folder]);
  assert.match(refused.stderr, /holds 2 consensus keys: name a node/);
});
