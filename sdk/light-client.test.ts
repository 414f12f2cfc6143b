import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addressFromHex, bytesToBigint, hex, toHex, unwrap, wordToBytes } from "@ostrom/base";
import {
  addressOfSecretKey,
  decodeHeader,
  defineModule,
  encodeHeader,
  formatGenesis,
  genesisModule,
  installModules,
} from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { parseCheckpoint } from "./checkpoint.ts";
import type { LightResult } from "./failure.ts";
import { createLightClient, type LightClientOptions } from "./light-client.ts";
import { httpServer, type LightServer } from "./server.ts";
import { type EpochChain, type EpochChainOptions, makeEpochChain } from "./testing/epoch-chain.ts";
import { checkpointAt } from "./testing/forged-world.ts";
import { clientKey } from "./testing/keys.ts";
import { onMethod, tamperedServer } from "./testing/tampering.ts";

const START_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;
const EPOCHS = 7;
const LENGTH = 10;
const SHAPE: EpochChainOptions = {
  epochs: EPOCHS,
  epochLength: LENGTH,
  epochLead: 3,
  timestampMs: START_MS,
  intervalMs: 1_000,
  isCertified: (height) => height % 4 !== 0,
};
const NOW_MS = START_MS + (EPOCHS * LENGTH + 3) * 1_000;

type Served = { readonly chain: EpochChain; readonly url: string; readonly stop: () => Promise<void> };

async function serve(change: Partial<EpochChainOptions> = {}): Promise<Served> {
  const chain = await makeEpochChain({ ...SHAPE, ...change });
  return { chain, ...(await chain.serve()) };
}

function codeOf(result: LightResult<unknown>): string {
  return result.ok ? "ok" : result.error.code;
}

/** Counts what is asked. */
function counting(server: LightServer): LightServer & { readonly calls: string[] } {
  const calls: string[] = [];
  return {
    name: server.name,
    calls,
    ask: (asked) => {
      calls.push(...asked.map(({ method }) => method));
      return server.ask(asked);
    },
  };
}

describe("light client", () => {
  let served: Served;
  let genesis: unknown;
  const clientOf = (change: Partial<LightClientOptions> = {}) =>
    createLightClient({ servers: [served.url], genesis, nowMs: () => NOW_MS, ...change });

  before(async () => {
    installNativeCrypto();
    served = await serve();
    genesis = formatGenesis(served.chain.genesis);
  });
  after(() => served.stop());

  test("from genesis it takes one step an epoch, and ends at the newest certified block", async () => {
    const server = counting(httpServer(served.url));
    const head = unwrap(await clientOf({ servers: [server] }).sync());
    assert.equal(head.header.number, EPOCHS * LENGTH);
    assert.deepEqual(head.hash, served.chain.hashAt(EPOCHS * LENGTH));
    assert.equal(server.calls.filter((method) => method === "ostrom_getEpochProof").length, EPOCHS - 1);
    assert.equal(server.calls.filter((method) => method === "ostrom_getStateCertificate").length, 1);
  });

  test("its checkpoint is one line from which another client starts, without genesis", async () => {
    const line = unwrap(await clientOf().checkpoint());
    assert.equal(unwrap(parseCheckpoint(line)).height, EPOCHS * LENGTH);
    const server = counting(httpServer(served.url));
    const second = clientOf({ genesis: undefined, checkpoint: line, servers: [server] });
    assert.equal(unwrap(await second.sync()).header.number, EPOCHS * LENGTH);
    assert.equal(server.calls.includes("ostrom_getEpochProof"), false);
    assert.equal(unwrap(await second.chain()).rules.chainId, 4_242n);
  });

  test("from a checkpoint it proves blocks before it as well, by the hashes that the state keeps", async () => {
    const client = clientOf({ genesis: undefined, checkpoint: checkpointAt(served.chain, 55) });
    for (const height of [0, 1, 9, 10, 11, 54, 55, 56, 70]) {
      assert.deepEqual(unwrap(await client.header(height)).hash, served.chain.hashAt(height));
    }
    assert.deepEqual(unwrap(await client.header(served.chain.hashAt(20))).header.number, 20);
    assert.equal(codeOf(await client.header(71)), "light/not-available");
    const range = unwrap(await client.headers(3, 40));
    assert.deepEqual(
      range.map(({ hash }) => hash),
      range.map(({ header }) => served.chain.hashAt(header.number)),
    );
    assert.equal(range.length, 38);
  });

  test("where the state keeps no hashes, certificates of past epochs prove old blocks while their sets may be trusted", async (t) => {
    const old = await serve({ rules: { forks: [{ fork: "cancun", fromTimestamp: 0 }] } });
    t.after(old.stop);
    let nowMs = NOW_MS;
    const shared = { servers: [old.url], nowMs: () => nowMs, trustingPeriodMs: DAY_MS };
    const client = createLightClient({ ...shared, genesis: formatGenesis(old.chain.genesis) });
    for (const height of [1, 8, 12, 33]) {
      assert.deepEqual(unwrap(await client.header(height)).hash, old.chain.hashAt(height));
    }
    const late = createLightClient({ ...shared, checkpoint: checkpointAt(old.chain, 55) });
    assert.equal(codeOf(await late.header(33)), "light/beyond-reach");
    // A day later the sets of past epochs may have sold their keys: an open client does not take their word for a block any more.
    nowMs = START_MS + DAY_MS + 60_000;
    assert.equal(codeOf(await client.header(44)), "light/beyond-reach");
    assert.deepEqual(unwrap(await client.header(66)).hash, old.chain.hashAt(66));
  });

  test("a genesis, a checkpoint or a stored head older than the trusting period is refused, and so is a head from the future", async () => {
    const late = (days: number) => ({ nowMs: () => NOW_MS + days * DAY_MS, trustingPeriodMs: 3 * DAY_MS });
    assert.equal(codeOf(await clientOf(late(2)).sync()), "ok");
    assert.equal(codeOf(await clientOf(late(4)).sync()), "light/checkpoint-too-old");
    const checkpoint = checkpointAt(served.chain, 70);
    assert.equal(codeOf(await clientOf({ checkpoint, ...late(4) }).sync()), "light/checkpoint-too-old");
    assert.equal(codeOf(await clientOf({ nowMs: () => NOW_MS - 60_000 }).sync()), "light/from-the-future");
    assert.equal(codeOf(await clientOf({ maxHeadAgeMs: 1_000 }).sync()), "light/head-too-old");
    // What counts is the age of where it starts, however fresh the head: in between, keys may have been sold.
    const short = { trustingPeriodMs: 30_000, maxHeadAgeMs: DAY_MS };
    const start = (height: number) => clientOf({ ...short, checkpoint: checkpointAt(served.chain, height) });
    assert.equal(codeOf(await start(42).sync()), "light/checkpoint-too-old");
    assert.equal(codeOf(await start(44).sync()), "ok");
    let nowMs = NOW_MS;
    const sleeper = clientOf({ nowMs: () => nowMs });
    unwrap(await sleeper.sync());
    nowMs += 15 * DAY_MS;
    assert.equal(codeOf(await sleeper.sync()), "light/checkpoint-too-old");
  });

  test("what it has verified is kept, and the next start goes on from there; damage and other chains' are noticed", async () => {
    let kept: string | undefined;
    const save = async (text: string): Promise<void> => {
      kept = text;
    };
    const storage = { load: async () => kept, save };
    unwrap(await clientOf({ storage }).sync());
    const server = counting(httpServer(served.url));
    assert.equal(unwrap(await clientOf({ storage, servers: [server] }).sync()).header.number, 70);
    assert.equal(server.calls.includes("ostrom_getEpochProof"), false);
    const good = kept ?? "";
    for (const bad of ["", "{}", good.slice(0, -9), good.replace('"header":"0xf9', '"header":"0xe9')]) {
      kept = bad;
      assert.equal(codeOf(await clientOf({ storage }).sync()), "light/storage", bad.slice(0, 40));
    }
  });

  test("a server that is silent or lies costs nothing where another one tells the truth", async () => {
    const liar = tamperedServer(httpServer(served.url));
    liar.tamper = onMethod("ostrom_getStateCertificate", (answer) => ({ ...answer, certificate: "0x00" }));
    const silent = httpServer("http://127.0.0.1:9");
    const client = clientOf({ servers: [silent, liar, served.url] });
    assert.equal(unwrap(await client.sync()).header.number, 70);
    assert.deepEqual(
      client.disagreements().map(({ failure }) => failure.code),
      ["light/unreachable"],
    );
    liar.tamper = onMethod("eth_getProof", (answer) => ({ ...answer, nonce: "0x7" }));
    const { till } = served.chain;
    assert.equal(unwrap(await client.account(addressFromHex(Buffer.from(till).toString("hex"))))?.nonce, 1n);
    assert.equal(codeOf(await clientOf({ servers: [silent] }).sync()), "light/unreachable");
    assert.equal(codeOf(await clientOf({ servers: [] }).sync()), "light/unreachable");
  });

  test("a liar who leads into the next epoch before its time stops nobody: the epoch before still counts", async () => {
    const liar = tamperedServer(httpServer(served.url));
    liar.tamper = onMethod<{ readonly header: `0x${string}` }>("ostrom_getStateCertificate", (answer) => {
      const header = unwrap(decodeHeader(hex(answer.header)));
      return { ...answer, header: toHex(encodeHeader({ ...header, number: EPOCHS * LENGTH + 5 })) };
    });
    let kept: string | undefined;
    const save = async (text: string): Promise<void> => {
      kept = text;
    };
    const storage = { load: async () => kept, save };
    const client = clientOf({ servers: [liar, served.url], storage });
    assert.equal(unwrap(await client.sync()).header.number, EPOCHS * LENGTH);
    assert.equal(unwrap(await client.sync()).header.number, EPOCHS * LENGTH);
    assert.equal(unwrap(await clientOf({ storage }).sync()).header.number, EPOCHS * LENGTH);
    assert.match(kept ?? "", /"previous"/);
  });

  test("on a chain that has no certificate yet, genesis is the newest block, and its state is proved", async () => {
    const young = tamperedServer(httpServer(served.url));
    young.tamper = onMethod("ostrom_getStateCertificate", () => null);
    const client = clientOf({ servers: [young] });
    assert.equal(unwrap(await client.sync()).header.number, 0);
    const rich = addressOfSecretKey(clientKey(0));
    assert.equal(unwrap(await client.account(rich))?.balance, 10n ** 24n);
    const later = clientOf({ servers: [young], checkpoint: checkpointAt(served.chain, 5) });
    assert.equal(codeOf(await later.sync()), "light/not-available");
  });

  test("a server that is behind contradicts nobody", async (t) => {
    const behind = await serve({ epochs: 5 });
    t.after(behind.stop);
    const client = clientOf({ servers: [behind.url, served.url] });
    assert.equal(unwrap(await client.sync()).header.number, 70);
    assert.deepEqual(client.disagreements(), []);
    assert.equal(unwrap(await clientOf({ servers: [behind.url] }).sync()).header.number, 50);
  });

  test("validators who certified two chains are caught with both certificates, and nothing is answered from then on", async (t) => {
    const fork = await serve({ divergesFrom: 66 });
    t.after(fork.stop);
    const client = clientOf({ servers: [served.url, fork.url] });
    assert.equal(codeOf(await client.sync()), "light/equivocation");
    const found = client.equivocation();
    assert.deepEqual([found?.first.height, found?.second.height], [70, 70]);
    assert.deepEqual(found?.signedBoth, [0, 1, 2, 3]);
    assert.notDeepEqual(found?.first.hash, found?.second.hash);
    assert.equal(codeOf(await client.header(3)), "light/equivocation");
    // One server that tells now this and now that.
    let target = httpServer(served.url);
    const turncoat: LightServer = { name: "turncoat", ask: (calls) => target.ask(calls) };
    const alone = clientOf({ servers: [turncoat] });
    unwrap(await alone.sync());
    target = httpServer(fork.url);
    assert.equal(codeOf(await alone.sync()), "light/equivocation");
    assert.deepEqual(alone.equivocation()?.signedBoth, [0, 1, 2, 3]);
  });

  test("a server that shows another block without proof cannot make it look as if validators had contradicted themselves", async (t) => {
    const shorter = await serve({ epochs: 6 });
    t.after(shorter.stop);
    // Of the longer chain block 60 has no certificate of its own: the next one's is of its child.
    const liar = tamperedServer(httpServer(served.url));
    liar.tamper = (call, answer) => {
      if (call.method === "ostrom_getStateCertificate" && call.params[0] === "finalized") return null;
      if (call.method !== "ostrom_getHeaders" || call.params[0] !== "0x3c") return answer;
      const [first] = answer as readonly string[];
      const header = unwrap(decodeHeader(hex(first ?? "")));
      return [toHex(encodeHeader({ ...header, gasUsed: 7n }))];
    };
    const client = clientOf({ servers: [shorter.url, liar] });
    assert.equal(unwrap(await client.sync()).header.number, 60);
    assert.deepEqual(
      client.disagreements().map(({ failure }) => failure.code),
      ["light/servers-disagree"],
    );
    assert.equal(client.equivocation(), undefined);
    // Who really has another chain is caught, also by a certificate above the block.
    const fork = await serve({ divergesFrom: 55 });
    t.after(fork.stop);
    const forked = tamperedServer(httpServer(fork.url));
    forked.tamper = (call, answer) => (call.params[0] === "finalized" ? { header: "0x" } : answer);
    const caught = clientOf({ servers: [shorter.url, forked] });
    assert.equal(codeOf(await caught.sync()), "light/equivocation");
    assert.deepEqual([caught.equivocation()?.first.height, caught.equivocation()?.second.height], [60, 61]);
  });

  test("absence is proved: of accounts, slots and code; all logs of a range are there", async () => {
    const client = clientOf();
    const nobody = addressFromHex("00000000000000000000000000000000deadbeef");
    const till = served.chain.till as typeof nobody;
    assert.equal(unwrap(await client.account(nobody)), undefined);
    assert.equal(unwrap(await client.storage(nobody, 1n)), 0n);
    assert.equal(unwrap(await client.storage(till, 77n)), 0n);
    assert.equal(unwrap(await client.storage(till, 0n)), 1_000n);
    assert.equal(unwrap(await client.code(nobody)).length, 0);
    const logs = unwrap(await client.logs(1, 70, { addresses: [till] }));
    const payments = served.chain.transactionHashes.length;
    assert.ok(logs.length > 30 && payments > 20);
    assert.deepEqual(unwrap(await client.logs(1, 70, { addresses: [nobody] })), []);
    assert.equal(codeOf(await client.logs(1, 2_000)), "light/not-available");
  });

  test("a call to an active module's precompile needs the module: without it the call is refused, never computed wrongly", async (t) => {
    const address = addressFromHex("00000000000000000000000000000000004d0dff");
    const run = (input: Uint8Array): Uint8Array => wordToBytes(2n * bytesToBigint(input));
    const module = defineModule({
      name: "doubler",
      version: 1,
      contracts: [],
      precompiles: [{ address, gas: () => 100n, run }],
    });
    const installed = installModules([module]);
    const authority = addressFromHex("00000000000000000000000000000000000000aa");
    const active = { authority, active: [genesisModule(module, new Uint8Array(0))] };
    const chain = await serve({ epochs: 2, modules: { installed, genesis: active } });
    t.after(chain.stop);
    const options = {
      servers: [chain.url],
      genesis: formatGenesis(chain.chain.genesis),
      nowMs: () => NOW_MS,
    };
    const call = { request: { to: address, data: hex(`${"0".repeat(63)}5`) } };
    const having = unwrap(await createLightClient({ ...options, modules: installed }).call(call));
    assert.equal(bytesToBigint(having.output), 10n);
    assert.equal(codeOf(await createLightClient(options).call(call)), "light/module-missing");
    // The registry is in the state: a client that starts from a checkpoint finds it there.
    const checkpoint = checkpointAt(chain.chain, 14);
    const young = { servers: [chain.url], checkpoint, nowMs: () => NOW_MS };
    assert.equal(
      unwrap(await createLightClient({ ...young, modules: installed }).call(call)).status,
      "success",
    );
    assert.equal(codeOf(await createLightClient(young).estimateGas(call)), "light/module-missing");
  });
});
