import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask } from "./rpc-client.ts";
import { type BlockWatch, watchBlocks } from "./testing/block-watch.ts";
import { createCertificateAuthority, hasOpenssl, issueCertificate } from "./testing/certificate-authority.ts";
import { equivocate } from "./testing/equivocator.ts";
import { createMachines, ostrom, refused } from "./testing/participation-machines.ts";
import { blockHashes, blockNumber, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";
import { startPump } from "./testing/transaction-pump.ts";

// A chain's life, as those who take part in it type it: an alliance, its members' votes, graduation, strangers, their faults.

const MEMBERS = ["bank-a", "bank-b", "bank-c", "bank-d"];
const FIFTH = "bank-e";
/** The one whose certificate authority is replaced, and the one that is suspended. */
const CERTIFIED = "bank-b";
const SUSPENDED = "bank-d";
/** The members that vote and bond once the chain goes public. */
const VOTERS = ["bank-a", CERTIFIED, "bank-c", FIFTH];
const HONEST = "stranger-1";
const EQUIVOCATOR = "stranger-2";
const VANISHER = "stranger-3";
const STRANGERS = [HONEST, EQUIVOCATOR, VANISHER];
const FRESH = "fresh";
/** Who puts coins behind a stranger: the honest one, and the one that is slashed. */
const DELEGATORS = { dora: HONEST, dan: EQUIVOCATOR };
const PUMP = "payer";

const CHAIN_ID = 4_242;
/** For one to be jailed, blocks must have carried ten state certificates before the next set is decided, in the middle of an epoch; on a
 * busy machine not every block carries one. */
const EPOCH_LENGTH = 40;
const SLASH_PERCENT = 10n;
const DELEGATED = 500n;
const COIN = 10n ** 18n;
/** What may be lost to gas. */
const GAS = COIN / 10n;
const EPOCHS_WAIT_MS = 5 * LONG_WAIT_MS;
/** Of all: no longer than a few leaders in a row that are gone or busy, on a slow machine. */
const LONGEST_GAP_MS = 45_000;
const HASHES_AT_ONCE = 90;

const skip = hasOpenssl() ? false : "there is no openssl here";
const began = performance.now();
const machines = await createMachines([...MEMBERS, FIFTH, ...STRANGERS, FRESH]);
const { machine, keyFile } = machines;
const rpc = machine("bank-a").url;
const addresses = new Map<string, string>();
const genesisFile = join(machines.directory, "chain/genesis.json");
let watch: BlockWatch | undefined;
let stopPump: (() => Promise<void>) | undefined;

after(async () => {
  await stopPump?.();
  await watch?.stop();
  await machines.dispose();
});

/** Types a command that signs, as somebody. */
const as = (who: string, ...args: readonly string[]): Promise<string> =>
  ostrom(...args, "--rpc", rpc, "--key-file", keyFile(who));
const addressOf = (who: string): string => addresses.get(who)!;

type ToldSet = {
  readonly epoch: string;
  readonly currentEpoch: string;
  readonly validators: readonly { readonly name: string }[];
};
type Port = { readonly holder: string | null; readonly handOver: { readonly to: string } | null };
type Staker = {
  readonly name: string;
  readonly state: string;
  readonly bonded: string;
  readonly slashes: string;
  readonly hasRevealed: boolean;
  readonly weight: string | null;
  readonly nextWeight: string | null;
};

const currentSet = (): Promise<ToldSet> => ask(rpc, "ostrom_getValidators");
const namesOf = ({ validators }: ToldSet): readonly string[] => validators.map(({ name }) => name).sort();

const waitForSet = (what: string, isSo: (names: readonly string[]) => boolean): Promise<void> =>
  waitUntil(what, EPOCHS_WAIT_MS, async () => isSo(namesOf(await currentSet())));

async function port(): Promise<Port> {
  type Told = { readonly registry: { readonly validatorSets: Port } };
  return (await ask<Told>(rpc, "ostrom_getModules")).registry.validatorSets;
}

async function staker(name: string): Promise<Staker> {
  const all = await ask<readonly Staker[]>(rpc, "staking_getValidators");
  return all.find((one) => one.name === name)!;
}

/** Until a validator is in the next epoch's set, which is decided, and has drawn its seats of the one after that; out of jail, if a slow machine brought it there. */
async function waitForSeats(name: string): Promise<void> {
  await waitUntil(`${name} has seats in the next two sets`, EPOCHS_WAIT_MS, async () => {
    const { state, nextWeight, hasRevealed } = await staker(name);
    if (state === "jailed") await as(name, "staking", "unjail").catch(() => undefined);
    return hasRevealed && nextWeight !== null && BigInt(nextWeight) > 0n;
  });
}

const balance = async (who: string): Promise<bigint> =>
  BigInt(await ask<string>(rpc, "eth_getBalance", [addressOf(who), "latest"]));

/** A member has proposed something: the others vote as it says, and it is carried out. */
async function decide(told: string, proposer: string, others: readonly string[]): Promise<void> {
  const listed = told.includes("ostrom membership proposals")
    ? await ostrom("membership", "proposals", "--rpc", rpc)
    : told;
  const id = /Proposal (\d+)/.exec(listed)?.[1];
  assert.ok(id !== undefined, told);
  await Promise.all(others.map((member) => as(member, "membership", "vote", id)));
  await as(proposer, "membership", "execute", id);
}

function tell(what: string): void {
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`[${seconds} s, block ${watch?.head() ?? 0}] ${what}`);
}

/** Gives the account of a node's service coins for gas; those of the first members have some from genesis. */
async function payForGas(name: string): Promise<void> {
  const told = await ostrom("staking", "keys", machine(name).folder, "--json");
  const { account } = JSON.parse(told) as { readonly account: string };
  await as(name, "send", "--to", account, "--value", "10");
}

async function joinAndStart(name: string, ...flags: readonly string[]): Promise<void> {
  const { folder, link, rpcPort } = machine(name);
  const place = ["--out", folder, "--name", name, "--host", link, "--rpc-port", String(rpcPort)];
  const chain = ["--genesis", genesisFile, "--bootstrap", machine("bank-a").link];
  await ostrom("join", ...chain, ...place, ...flags);
  await machines.start(name);
}

/** Each goes on where the one before it has ended. */
let hasFailed = false;
function step(name: string, run: () => Promise<void>): void {
  test(name, { skip }, async (context) => {
    if (hasFailed) return context.skip("what comes before it has failed");
    hasFailed = true;
    await run();
    hasFailed = false;
  });
}

step(
  "four organisations make their machines' keys for themselves, and one genesis of their descriptions",
  async () => {
    const people = [...MEMBERS, FIFTH, ...STRANGERS, ...Object.keys(DELEGATORS), PUMP];
    const made = await Promise.all(people.map((who) => machines.createAccount(who)));
    for (const [index, who] of people.entries()) addresses.set(who, made[index]!);
    const authority = createCertificateAuthority(machines.directory, "old-ca");
    await Promise.all(
      MEMBERS.map((name) => {
        const { folder, link, rpcPort } = machine(name);
        const place = ["--out", folder, "--host", link, "--rpc-port", String(rpcPort)];
        const who = ["--name", name, "--organisation", name, "--account", addressOf(name)];
        const certificate = name === CERTIFIED ? ["--certificate", authority.certificate] : [];
        return ostrom("keys", "create", ...place, ...who, ...certificate);
      }),
    );
    issueCertificate(authority, machine(CERTIFIED).folder);
    await ostrom(
      ...[
        "init",
        "--chain-id",
        String(CHAIN_ID),
        "--profile",
        "alliance",
        "--epoch-length",
        String(EPOCH_LENGTH),
      ],
      ...MEMBERS.flatMap((name) => ["--join", join(machine(name).folder, "public.json")]),
      ...people.flatMap((who) => ["--fund", `${addressOf(who)}=20000`]),
      ...["--set", `membership.users=${addressOf(PUMP)}`, "--out", join(machines.directory, "chain")],
    );
    for (const name of MEMBERS) copyFileSync(genesisFile, join(machine(name).folder, "genesis.json"));
    stopPump = startPump(rpc, keyFile(PUMP), CHAIN_ID);
    watch = watchBlocks(() => [rpc, machine("bank-c").url]);
    await Promise.all(MEMBERS.map((name) => machines.start(name)));
    await waitUntil("blocks", LONG_WAIT_MS, () => watch!.head() >= 3);
    assert.deepEqual(namesOf(await currentSet()), MEMBERS);
    tell("the alliance goes on");
  },
);

step(
  "the members admit a fifth by vote; its machine joins with genesis and one address, and validates",
  async () => {
    await decide(await as("bank-a", "membership", "propose-admit", FIFTH, addressOf(FIFTH)), "bank-a", [
      "bank-b",
      "bank-c",
    ]);
    const { folder, link, rpcPort } = machine(FIFTH);
    await ostrom(
      ...["join", "--genesis", genesisFile, "--bootstrap", machine("bank-a").link, "--out", folder],
      ...["--name", FIFTH, "--host", link, "--rpc-port", String(rpcPort), "--account", addressOf(FIFTH)],
    );
    await as(FIFTH, "membership", "node", "add", join(folder, "public.json"));
    await machines.start(FIFTH);
    await waitForSet("the fifth validates", (names) => names.includes(FIFTH));
    const joined = watch!.head();
    await waitUntil("the fifth has the chain", LONG_WAIT_MS, async () => {
      return (await blockNumber(machine(FIFTH).url, "finalized")) >= joined;
    });
    tell("the fifth validates");
  },
);

step("a suspended member is out of the next set, and its accounts may not send", async () => {
  await decide(await as("bank-a", "membership", "propose-suspend", SUSPENDED), "bank-a", [
    CERTIFIED,
    "bank-c",
  ]);
  await waitForSet("the suspended one is out", (names) => !names.includes(SUSPENDED));
  const transfer = ["send", "--to", addressOf(PUMP), "--value", "1", "--rpc", rpc];
  await refused(/membership: no organisation/, ...transfer, "--key-file", keyFile(SUSPENDED));
  tell("suspended");
});

step(
  "a certificate authority is replaced: both count for a while, then links with the old one drop, and the network goes on",
  async () => {
    const certified = machine(CERTIFIED);
    const peers = async (): Promise<number> => Number(await ask<string>(certified.url, "net_peerCount"));
    const [old] = (await as(CERTIFIED, "membership", "ca", "list")).split(" ");
    const authority = createCertificateAuthority(machines.directory, "new-ca");
    await as(CERTIFIED, "membership", "ca", "add", authority.certificate);
    const added = watch!.head();
    await waitUntil("a block after both are known", LONG_WAIT_MS, () => watch!.head() > added + 5);
    assert.ok((await peers()) >= 3, "links with the old certificate stay while both count");
    await as(CERTIFIED, "membership", "ca", "remove", old!);
    await waitUntil("links with the old certificate drop", LONG_WAIT_MS, async () => (await peers()) === 0);
    const dropped = watch!.head();
    await waitUntil("the network goes on", LONG_WAIT_MS, () => watch!.head() > dropped + 5);
    await machines.stop(CERTIFIED);
    issueCertificate(authority, certified.folder);
    await machines.start(CERTIFIED);
    await waitUntil("links with the new certificate stand", LONG_WAIT_MS, async () => (await peers()) >= 3);
    const back = watch!.head();
    await waitUntil("it goes on with the others", LONG_WAIT_MS, async () => {
      return (await blockNumber(certified.url, "finalized")) >= back;
    });
    tell("authority replaced");
  },
);

step(
  "the members vote that their chain goes public; they bond, and stake decides from an epoch on",
  async () => {
    // The votes take time, and what a proposal carries out must still be far enough ahead then.
    const height = watch!.head() + 6 * EPOCH_LENGTH;
    const settings = {
      "unbonding-epochs": "4",
      "evidence-epochs": "3",
      "jail-epochs": "1",
      "slash-percent": String(SLASH_PERCENT),
      "min-stake": "1000",
    };
    const told = await as(
      "bank-a",
      ...["chain", "graduate", "--height", String(height)],
      ...Object.entries(settings).flatMap(([name, value]) => ["--set", `staking.${name}=${value}`]),
    );
    await decide(told, "bank-a", [CERTIFIED, FIFTH]);
    assert.equal((await port()).handOver?.to, "staking");
    tell("graduation decided");
    await payForGas(FIFTH);
    // Whoever likes may come from now on.
    await Promise.all(STRANGERS.map((name) => joinAndStart(name)));
    tell("strangers have joined");
    await waitUntil("staking is active", EPOCHS_WAIT_MS, () => watch!.head() > height);
    await Promise.all(
      VOTERS.map((name) => {
        const { folder, link } = machine(name);
        const node = ["--keys", folder, "--host", link, "--name", name];
        return as(name, "staking", "bond", "--amount", "9000", ...node);
      }),
    );
    await waitUntil("staking decides", EPOCHS_WAIT_MS, async () => (await port()).holder === "staking");
    tell("staking holds the port");
  },
);

step(
  "three strangers with genesis and one address bond and validate; others put coins behind them",
  async () => {
    await Promise.all(
      STRANGERS.map(async (name) => {
        const { folder, link } = machine(name);
        await payForGas(name);
        const node = ["--keys", folder, "--host", link, "--name", name];
        await as(name, "staking", "bond", "--amount", "3000", ...node);
      }),
    );
    tell("strangers have bonded");
    await Promise.all(
      Object.entries(DELEGATORS).map(([who, validator]) =>
        as(who, "staking", "delegate", validator, "--amount", String(DELEGATED)),
      ),
    );
    const seen = new Set<string>();
    await waitForSet("all strangers validate or have done so", (names) => {
      for (const name of names) seen.add(name);
      return STRANGERS.every((name) => seen.has(name));
    });
    tell("strangers validate");
  },
);

step(
  "who signs two blocks of one view is slashed on the evidence that the others report, delegators on their way out too",
  async () => {
    await Promise.all(
      Object.entries(DELEGATORS).map(([who, validator]) => as(who, "staking", "undelegate", validator)),
    );
    const before = BigInt((await staker(EQUIVOCATOR)).bonded);
    await waitForSeats(EQUIVOCATOR);
    await machines.stop(EQUIVOCATOR, "SIGKILL");
    tell("one equivocates");
    const peers = ["bank-a", FIFTH].map((name) => {
      const { linkPort } = machine(name);
      return { peerId: name, host: "127.0.0.1", port: linkPort };
    });
    await equivocate(machine(EQUIVOCATOR).folder, rpc, peers, async () => {
      return (await staker(EQUIVOCATOR)).state === "slashed";
    });
    const { bonded } = await staker(EQUIVOCATOR);
    assert.ok(BigInt(bonded) <= (before * (100n - SLASH_PERCENT)) / 100n, `${bonded} of ${before}`);
    for (const { name, state } of await ask<readonly Staker[]>(rpc, "staking_getValidators"))
      if (name !== EQUIVOCATOR) assert.notEqual(state, "slashed", name);
    tell("slashed");
  },
);

step("who vanishes is jailed", async () => {
  await waitForSeats(VANISHER);
  await machines.stop(VANISHER, "SIGKILL");
  tell("one vanishes");
  await waitUntil("it is jailed", EPOCHS_WAIT_MS, async () => (await staker(VANISHER)).state === "jailed");
  assert.match(await ostrom("staking", "status", "--rpc", rpc), new RegExp(`${VANISHER} +jailed to epoch`));
  tell("jailed");
});

step("delegators wait, and take out what is theirs: all of it, and what the slash has left", async () => {
  type Unbonding = { readonly isPayable: boolean; readonly amount: string };
  const queue = (who: string): Promise<readonly Unbonding[]> =>
    ask(rpc, "staking_getUnbonding", [addressOf(who)]);
  // Once for each epoch in which the one behind whom they are has contradicted itself.
  const owed = async (validator: string): Promise<bigint> => {
    const slashes = BigInt((await staker(validator)).slashes);
    return (DELEGATED * COIN * (100n - SLASH_PERCENT) ** slashes) / 100n ** slashes;
  };
  for (const [who, validator] of Object.entries(DELEGATORS)) {
    await waitUntil(`${who} can withdraw`, EPOCHS_WAIT_MS, async () => {
      return (await queue(who)).every(({ isPayable }) => isPayable);
    });
    const expected = await owed(validator);
    const before = await balance(who);
    await as(who, "staking", "withdraw");
    const paid = (await balance(who)) - before;
    assert.ok(paid <= expected && paid > expected - GAS, `${who}: ${paid}, expected ${expected}`);
  }
  tell("withdrawn");
});

step(
  "a node that joins with genesis and one address replays it all to the same hash; all have the same blocks",
  async () => {
    await joinAndStart(FRESH);
    const target = await blockNumber(rpc, "finalized");
    const all = machines.running();
    for (const { name, url } of all)
      await waitUntil(`${name} has block ${target}`, EPOCHS_WAIT_MS, async () => {
        return (await blockNumber(url, "finalized")) >= target;
      });
    for (let from = 0; from <= target; from += HASHES_AT_ONCE) {
      const to = Math.min(target, from + HASHES_AT_ONCE - 1);
      const expected = await blockHashes(rpc, from, to);
      assert.equal(expected.filter((hash) => hash !== undefined).length, to - from + 1);
      for (const { name, url } of all) assert.deepEqual(await blockHashes(url, from, to), expected, name);
    }
    tell(`${all.length} nodes have the same ${target} blocks`);
  },
);

step("blocks never stopped", async () => {
  const { ms, after: block } = watch!.longestGap();
  const { epoch } = await currentSet();
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const gap = `the longest time between blocks ${(ms / 1_000).toFixed(1)} s (after block ${block})`;
  tell(`${watch!.head()} blocks, ${Number(epoch)} epochs, ${seconds} s; ${gap}`);
  assert.ok(ms < LONGEST_GAP_MS, gap);
});
