import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCli } from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { Sender } from "./testing/sender.ts";
import {
  blockHashes,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

const VALIDATORS = 4;
/** The validator whose folder is damaged. */
const VICTIM = 3;
const BLOCKS = 5;
/** `ostrom run` processes at a time. */
const AT_A_TIME = 2;

const root = mkdtempSync(join(tmpdir(), "ostrom-damage-"));
const sender = new Sender();
let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: VALIDATORS });
  await network.startAll();
  for (let block = 0; block < BLOCKS; block++) await finalizeTransfer([0, 1, 2, 3]);
  await Promise.all(network.urls.map((_, index) => network.kill(index, "SIGKILL")));
});

after(async () => {
  rmSync(root, { recursive: true, force: true });
  await network.dispose();
});

/** Sends a transfer to the first of these validators and waits until all of them have finalized it. */
async function finalizeTransfer(running: readonly number[]): Promise<void> {
  await sender.finalize(running.map((index) => network.urls[index]!));
}

async function assertSameChain(): Promise<void> {
  const heights = await Promise.all(network.urls.map((url) => blockNumber(url, "finalized")));
  const [first, ...others] = await Promise.all(
    network.urls.map((url) => blockHashes(url, 0, Math.min(...heights))),
  );
  for (const other of others) assert.deepEqual(other, first);
  network.assertAgreement();
}

type Damage = {
  readonly what: string;
  readonly harm: (folder: string) => void;
  /** What the one line must name, relative to the node's folder, and what it must say. */
  readonly names: string;
  readonly says: RegExp;
};

function fileIn(folder: string, name: RegExp): string {
  const found = readdirSync(folder).find((entry) => name.test(entry));
  assert.ok(found !== undefined, `${folder} has ${name}`);
  return join(folder, found);
}

const manifest = (folder: string): string => fileIn(join(folder, "data/chain"), /^MANIFEST-/);
const writeAheadLog = (folder: string): string => fileIn(join(folder, "data/log"), /\.wal$/);

function flipMiddleBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}

function truncateToHalf(path: string): void {
  truncateSync(path, readFileSync(path).length >> 1);
}

function replaceIn(path: string, from: RegExp, to: string): void {
  const text = readFileSync(path, "utf8");
  assert.match(text, from);
  writeFileSync(path, text.replace(from, to));
}

const FETCH_AGAIN = /is damaged .*: remove the folder and let the node fetch the chain from the others/;
const ABSTAIN =
  /is damaged .*: .* remove the log's folder, and it will abstain until it is safe to vote again/;
const KEYS = /put this node's own keys? back/;
const GENESIS = /put the .*genesis\.json/;

const DAMAGES: readonly Damage[] = [
  {
    what: "LevelDB's CURRENT is garbage",
    harm: (folder) => writeFileSync(join(folder, "data/chain/CURRENT"), "garbage"),
    names: "data/chain",
    says: FETCH_AGAIN,
  },
  {
    what: "LevelDB's CURRENT is empty",
    harm: (folder) => truncateSync(join(folder, "data/chain/CURRENT"), 0),
    names: "data/chain",
    says: FETCH_AGAIN,
  },
  {
    what: "LevelDB's CURRENT is gone",
    harm: (folder) => rmSync(join(folder, "data/chain/CURRENT")),
    names: "data/chain",
    says: FETCH_AGAIN,
  },
  {
    what: "LevelDB's MANIFEST is cut off",
    harm: (folder) => truncateToHalf(manifest(folder)),
    names: "data/chain",
    says: FETCH_AGAIN,
  },
  {
    what: "LevelDB's MANIFEST is garbage",
    harm: (folder) => writeFileSync(manifest(folder), Buffer.alloc(512, 7)),
    names: "data/chain",
    says: FETCH_AGAIN,
  },
  {
    what: "LevelDB's MANIFEST is gone",
    harm: (folder) => rmSync(manifest(folder)),
    names: "data/chain",
    says: FETCH_AGAIN,
  },
  {
    what: "a bit in the middle of the write-ahead log is flipped",
    harm: (folder) => flipMiddleBit(writeAheadLog(folder)),
    names: "data/log",
    says: ABSTAIN,
  },
  {
    what: "the write-ahead log is empty",
    harm: (folder) => truncateSync(writeAheadLog(folder), 0),
    names: "data/log",
    says: ABSTAIN,
  },
  {
    what: "the data are of a newer program",
    harm: (folder) => writeFileSync(join(folder, "data/VERSION"), "ostrom data 2\n"),
    names: "data",
    says: /version 2.*: use the program that wrote it/,
  },
  {
    what: "genesis.json describes another chain with the same validators",
    harm: (folder) => replaceIn(join(folder, "genesis.json"), /31337/, "31338"),
    names: "data/chain",
    says: GENESIS,
  },
  {
    what: "genesis.json is of other validators",
    harm: (folder) => {
      const other = readFileSync(join(folder, "genesis.json"), "utf8");
      // The keys of the first validator stand where those of this one were.
      const [first, last] = [...other.matchAll(/"transportKey": "(0x[0-9a-f]+)"/g)]
        .map((match) => match[1]!)
        .filter((_, index, all) => index === 0 || index === all.length - 1) as [string, string];
      writeFileSync(join(folder, "genesis.json"), other.replace(last, first));
    },
    names: "",
    says: GENESIS,
  },
  {
    what: "genesis.json is cut off",
    harm: (folder) => truncateToHalf(join(folder, "genesis.json")),
    names: "genesis.json",
    says: /is no JSON .*: correct it, or restore the file/,
  },
  {
    what: "all keys are gone",
    harm: (folder) => rmSync(join(folder, "keys"), { recursive: true }),
    names: "keys/consensus.key",
    says: KEYS,
  },
  {
    what: "the transport identity is gone",
    harm: (folder) => rmSync(join(folder, "keys/transport.pem")),
    names: "keys/transport.pem",
    says: KEYS,
  },
  {
    what: "the consensus key is none",
    harm: (folder) => writeFileSync(join(folder, "keys/consensus.key"), `0x${"00".repeat(32)}\n`),
    names: "keys/consensus.key",
    says: KEYS,
  },
  {
    what: "node.json is no JSON",
    harm: (folder) => writeFileSync(join(folder, "node.json"), '{\n  "name": validator\n}\n'),
    names: "node.json",
    says: /is no JSON .*: correct it/,
  },
  {
    what: "node.json has a setting that is none",
    harm: (folder) => writeFileSync(join(folder, "node.json"), '{ "rpc": { "prot": 1 } }'),
    names: "node.json",
    says: /"rpc\.prot" is no setting \(known: host, port, .*correct it/,
  },
  {
    what: "node.json has a value of the wrong type",
    harm: (folder) => writeFileSync(join(folder, "node.json"), '{ "rpc": { "port": "8545" } }'),
    names: "node.json",
    says: /"rpc\.port" must be .*correct it/,
  },
  {
    what: "node.json is gone",
    harm: (folder) => rmSync(join(folder, "node.json")),
    names: "node.json",
    says: /is not there: name a folder/,
  },
];

test("a damaged folder: exit code 1 and one line that names what is wrong and says what to do", async () => {
  const ports = (await findFreePorts(DAMAGES.length, 2)) as [number, number];
  const waiting = [...DAMAGES.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, damage] = next;
      await assertRefused(damage, index, [ports[0] + index, ports[1] + index]);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
});

async function assertRefused(
  { what, harm, names, says }: Damage,
  index: number,
  [rpcPort, linkPort]: readonly [number, number],
): Promise<void> {
  const folder = join(root, `damage-${index}`);
  cpSync(network.folder(VICTIM), folder, { recursive: true });
  harm(folder);
  const ended = await runCli([
    ...["run", "--data-dir", folder],
    ...["--rpc-port", String(rpcPort), "--link-port", String(linkPort)],
  ]);
  assert.equal(ended.code, 1, `${what}: ${ended.signal} ${ended.stderr}`);
  assert.match(ended.stderr, /^ostrom run: [^\n]+\n$/, what);
  assert.ok(ended.stderr.includes(join(folder, names)), `${what}: ${ended.stderr}`);
  assert.match(ended.stderr, says, what);
  assert.doesNotMatch(ended.stderr, /\n\s+at /, what);
}

test("a write-ahead log with a torn end: the validator says so, goes on and votes", async () => {
  // The header of a frame of 500 bytes, and less than that.
  appendFileSync(
    writeAheadLog(network.folder(VICTIM)),
    Buffer.from("000001f400001000deadbeef00000010aabb", "hex"),
  );
  await network.startAll();
  assert.match(network.log(VICTIM), /"level":"warn".*cut a torn write off the write-ahead log".*"bytes":18/);
  await finalizeTransfer([0, 1, 2, 3]);
  // Without another one, the quorum needs its votes.
  await network.kill(0, "SIGKILL");
  await finalizeTransfer([1, 2, VICTIM]);
  await network.start(0);
  await assertSameChain();
});

test("blocks lost from the database: the validator says so and fetches them again", async () => {
  await network.kill(VICTIM, "SIGKILL");
  truncateToHalf(fileIn(join(network.folder(VICTIM), "data/chain"), /^\d+\.log$/));
  await network.start(VICTIM);
  assert.match(network.log(VICTIM), /"level":"warn".*the database has lost blocks that were on disk/);
  await finalizeTransfer([VICTIM, 0, 1, 2]);
  await assertSameChain();
});

test("all data removed, as the advice may be read: the validator abstains first, fetches the chain and votes again", async () => {
  await network.kill(VICTIM, "SIGKILL");
  rmSync(join(network.folder(VICTIM), "data"), { recursive: true });
  await network.start(VICTIM);
  assert.match(network.log(VICTIM), /"level":"warn".*the write-ahead log is gone: this validator abstains/);
  await waitUntil("it votes again", LONG_WAIT_MS, async () => {
    await finalizeTransfer([0, 1, 2, VICTIM]);
    return network.log(VICTIM).includes("the others are past its lost votes: it votes again");
  });
  await network.kill(0, "SIGKILL");
  await finalizeTransfer([1, 2, VICTIM]);
  await network.start(0);
  await finalizeTransfer([0, 1, 2, VICTIM]);
  await assertSameChain();
});
