import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import {
  type Bytes,
  concatBytes,
  createRandom,
  Epoch,
  fromHex,
  type Hash,
  Height,
  unwrap,
  utf8,
  View,
  ZERO_HASH,
} from "@ostrom/base";
import {
  type Certificate,
  decodeEvidence,
  encodeMessage,
  type Message,
  type SignedVote,
  type StateCertificate,
  ValidatorIndex,
  verifyEvidence,
} from "@ostrom/consensus";
import { SCHEME_BLS12381 } from "@ostrom/crypto";
import { CONTROL_CODES, controlFrame } from "../../node/network/frame-codec.ts";
import { createIdentity } from "../../node/network/index.ts";
import { type RawClient, rawFrame } from "../../node/network/testing/raw-client.ts";
import { encodeBatch } from "../../node/network/transaction-batch.ts";
import { ask } from "./rpc-client.ts";
import {
  beWelcomed,
  dialLink,
  type HostileValidator,
  heardView,
  messagesFrom,
  send,
  stealKeys,
  votesInLog,
} from "./testing/hostile-validator.ts";
import { Sender } from "./testing/sender.ts";
import {
  blockHashes,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";
import { type ToldValidator, toldSet } from "./testing/told-validators.ts";

/** Its keys are stolen while it is stopped. */
const THIEF = 3;
const HONEST = [0, 1, 2] as const;
const EPOCH = Epoch(0);
const FAR = 2 ** 40;
/** A height that the epoch has and the test does not reach. */
const FAR_IN_EPOCH = 90_000;
const JUNK_TRANSACTIONS = 1_000;
/** What a run of these attacks may write to one node.log. */
const MAX_LOG_BYTES = 4_000_000;

const random = createRandom(7);
const sender = new Sender();
let network: TestNetwork;
let thief: HostileValidator;
let oldVotes: readonly SignedVote[];

before(async () => {
  network = await createTestNetwork({ validators: 4 });
  await Promise.all(network.urls.map((_, index) => network.start(index, ["--log-level", "debug"])));
  await sender.finalize(network.urls, 3);
  await network.kill(THIEF, "SIGKILL");
  thief = await stealKeys(network, THIEF);
  oldVotes = await votesInLog(network, THIEF);
});

after(async () => {
  await network.dispose();
});

/** The three honest ones still finalize, and none of them has ended. */
async function assertGoesOn(): Promise<void> {
  await sender.finalize(HONEST.map((index) => network.urls[index]!));
  for (const index of HONEST) assert.equal(network.node(index)!.process.exitCode, null);
}

/** Waits for a line that the node has written since `mark`. */
async function assertLogs(target: number, mark: number, pattern: RegExp): Promise<void> {
  await waitUntil(`validator ${target + 1} logs ${pattern}`, LONG_WAIT_MS, () =>
    pattern.test(network.log(target).slice(mark)),
  );
}

function ended(client: RawClient): Promise<void> {
  return waitUntil("the connection is closed", LONG_WAIT_MS, client.isEnded);
}

/** A TCP connection that says this and waits for its end. */
function sayPlainly(target: number, bytes: Bytes): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(network.file.nodes[target]!.linkPort, "127.0.0.1", () => socket.write(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
  });
}

test("strangers: garbage, no certificate, an unknown key and another chain are turned away", async () => {
  const mark = network.log(0).length;
  const { domain } = thief;
  await Promise.all([
    sayPlainly(0, utf8("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")),
    ...Array.from({ length: 10 }, () => sayPlainly(0, random.bytes(1 + random.below(100_000)))),
    // A record of TLS that announces more than it has: it ends with the handshake's time.
    sayPlainly(0, Uint8Array.of(22, 3, 1, 64, 0, 1)),
  ]);
  await assertLogs(0, mark, /a connection was refused.*network\/failed-handshake/);

  const anonymous = await dialLink(network, 0, domain, undefined);
  await ended(anonymous);
  await assertLogs(0, mark, /a connection was refused.*network\/no-identity/);

  const stranger = await dialLink(network, 0, domain, createIdentity());
  stranger.socket.write(concatBytes(controlFrame(CONTROL_CODES.hello), rawFrame("consensus", utf8("vote"))));
  await ended(stranger);
  assert.deepEqual(stranger.frames, []);
  await assertLogs(0, mark, /a connection was refused.*network\/not-allowed/);

  await assert.rejects(
    dialLink(network, 0, domain, thief.identity, "ostrom/1/another"),
    /application protocol/,
  );
  await assertGoesOn();
});

function certificate(view: number, signers: Bytes): Certificate {
  return {
    kind: "finalization",
    schemeId: SCHEME_BLS12381,
    epoch: 0 as Certificate["epoch"],
    view: View(view),
    digest: random.bytes(32) as Hash,
    signers,
    signature: thief.sign(random.bytes(32)),
  };
}

function stateCertificate(height: number): StateCertificate {
  const digest = (): Hash => random.bytes(32) as Hash;
  const executed = {
    epoch: 0 as StateCertificate["executed"]["epoch"],
    height: Height(height),
    orderDigest: digest(),
    executedHash: digest(),
    nextSetHash: digest(),
  };
  return {
    schemeId: SCHEME_BLS12381,
    executed,
    signers: Uint8Array.of(0b1111),
    signature: thief.sign(random.bytes(32)),
  };
}

const notarize = (view: number, signature?: Bytes): Message =>
  thief.vote({ kind: "notarize", view: View(view), digest: random.bytes(32) as Hash }, signature);

test("what is old, far away or nobody's business is passed over, however often it comes", async () => {
  const client = await beWelcomed(network, 0, thief);
  const mark = network.log(0).length;
  await waitUntil("the validator speaks of its view", LONG_WAIT_MS, () => heardView(client) > 0);
  const repeated = messagesFrom(client).filter(
    ({ kind }) => kind === "certificate" || kind === "state-certificate",
  );
  for (let round = 0; round < 3; round++) {
    // Recorded in an earlier session: its own votes, and what the validator itself has said.
    send(client, ...oldVotes.map((vote): Message => ({ kind: "vote", vote })), ...repeated);
    for (const view of [FAR, Number.MAX_SAFE_INTEGER]) {
      send(client, notarize(view), thief.vote({ kind: "nullify", view: View(view), digest: ZERO_HASH }));
    }
    for (const height of [0, FAR, Number.MAX_SAFE_INTEGER]) {
      send(client, { kind: "block-range-request", fromHeight: Height(height) });
      send(client, { kind: "state-certificate-request", height: Height(height) });
    }
    const about = { epoch: 0 as Certificate["epoch"], view: View(FAR) };
    send(client, { kind: "certificate-request", ...about, want: "any" });
    send(client, { kind: "block-request", ...about, digest: random.bytes(32) as Hash });
    send(client, { kind: "view-request", epoch: about.epoch });
  }
  // It claims to have executed what nobody has.
  const executed = { ...stateCertificate(Number.MAX_SAFE_INTEGER).executed };
  send(client, {
    kind: "executed",
    executed: { executed, signer: thief.index, signature: random.bytes(96) },
  });
  await assertGoesOn();
  assert.equal(client.isEnded(), false, "none of it is a reason to close the link");
  assert.doesNotMatch(network.log(0).slice(mark), /a peer broke the protocol/);
  assert.equal(await ask(network.urls[0]!, "eth_syncing"), false, "one validator's claim is not believed");
  const asked = messagesFrom(client).filter(({ kind }) => kind === "block-range");
  assert.ok(asked.length >= 1, "what can be answered is answered: blocks from the first on");

  // Half a frame, and the end.
  client.socket.end(rawFrame("consensus", encodeMessage(notarize(5))).subarray(0, 40));
  await ended(client);
  await assertGoesOn();
});

test("votes for true blocks with false signatures do not keep a certificate from forming", async () => {
  const client = await beWelcomed(network, 1, thief);
  const answered = new Set<number>();
  await waitUntil("some votes were spoilt", LONG_WAIT_MS, async () => {
    for (const message of messagesFrom(client)) {
      if (message.kind !== "vote" || answered.has(message.vote.vote.view)) continue;
      const { view, digest } = message.vote.vote;
      answered.add(view);
      const signature = thief.sign(random.bytes(32));
      for (const kind of ["notarize", "finalize"] as const)
        send(client, thief.vote({ kind, view, digest }, signature));
    }
    await assertGoesOn();
    return answered.size >= 3 || client.isEnded();
  });
  client.socket.destroy();
});

test("two votes of one validator for one view are evidence, and told", async () => {
  const client = await beWelcomed(network, 2, thief);
  const mark = network.log(2).length;
  await waitUntil("the validator speaks of its view", LONG_WAIT_MS, () => heardView(client) > 0);
  await waitUntil("the contradiction is seen", LONG_WAIT_MS, () => {
    const view = heardView(client) + 4;
    send(client, notarize(view), notarize(view));
    return /consensus\/equivocation/.test(network.log(2).slice(mark));
  });
  client.socket.destroy();
  await assertGoesOn();

  // Whoever knows the set of the epoch needs nothing else to see it.
  const [piece, ...others] = await ask<readonly Piece[]>(network.urls[2]!, "ostrom_getEvidence");
  assert.deepEqual([others.length, piece!.validator, piece!.kind], [0, "0x3", "votes"]);
  const told = await ask<{ readonly validators: readonly ToldValidator[] }>(
    network.urls[0]!,
    "ostrom_getValidators",
    [Number(piece!.epoch)],
  );
  const evidence = unwrap(decodeEvidence(unwrap(fromHex(piece!.evidence))));
  assert.ok(verifyEvidence(thief.domain, toldSet(EPOCH, told.validators), evidence).ok);
});

type Piece = {
  readonly epoch: string;
  readonly validator: string;
  readonly kind: string;
  readonly evidence: string;
};
test("1,000 junk transactions: none gets into the pool, and the chain goes on", async () => {
  const client = await beWelcomed(network, 2, thief);
  const mark = network.log(2).length;
  const junk = Array.from({ length: JUNK_TRANSACTIONS }, () =>
    concatBytes(Uint8Array.of(2), random.bytes(1 + random.below(300))),
  );
  client.socket.write(rawFrame("transactions", encodeBatch(junk)));
  await ended(client);
  await assertLogs(2, mark, /a peer broke the protocol.*gossip\/junk/);
  await assertGoesOn();
  for (const index of HONEST) {
    assert.deepEqual(await ask(network.urls[index]!, "txpool_status"), { pending: "0x0", queued: "0x0" });
  }
});

type Misconduct = {
  readonly what: string;
  readonly code: string;
  readonly act: (client: RawClient) => void;
};

const unreadable = "consensus/unreadable-message";
/** For each honest validator, one after another: the ban gets longer with each. */
const MISCONDUCT: Readonly<Record<(typeof HONEST)[number], readonly Misconduct[]>> = {
  0: [
    {
      what: "a frame longer than any",
      code: "network/frame-too-long",
      act: ({ socket }) => socket.write(Uint8Array.of(255, 255, 255, 255, 1)),
    },
    {
      what: "a frame of random bytes",
      code: unreadable,
      act: ({ socket }) => socket.write(rawFrame("consensus", random.bytes(500))),
    },
    {
      what: "a vote of somebody else",
      code: "consensus/wrong-sender",
      act: (client) => {
        const [mine] = [notarize(heardView(client) + 2)] as [Extract<Message, { kind: "vote" }>];
        send(client, { kind: "vote", vote: { ...mine.vote, signer: ValidatorIndex(1) } });
      },
    },
  ],
  1: [
    {
      what: "a channel that is none",
      code: "network/unknown-channel",
      act: ({ socket }) => socket.write(Uint8Array.of(0, 0, 0, 1, 9, 0)),
    },
    {
      what: "a message that is cut off",
      code: unreadable,
      act: ({ socket }) => socket.write(rawFrame("consensus", encodeMessage(notarize(5)).subarray(0, 60))),
    },
    {
      what: "a certificate of signers whom nobody knows",
      code: "consensus/bad-certificate",
      act: (client) =>
        send(client, {
          kind: "certificate",
          certificate: certificate(heardView(client) + 2, Uint8Array.of(0b11110000)),
        }),
    },
  ],
  2: [
    {
      what: "votes with false signatures",
      code: "consensus/bad-signature",
      act: (client) => {
        const view = heardView(client) + 8;
        send(client, notarize(view, random.bytes(96)), notarize(view, random.bytes(96)));
      },
    },
    {
      what: "a forged certificate of a far view",
      code: "consensus/bad-certificate",
      act: (client) =>
        send(client, { kind: "certificate", certificate: certificate(FAR, Uint8Array.of(0b1111)) }),
    },
    {
      what: "a forged state certificate",
      code: "certification/bad-certificate",
      act: (client) =>
        send(client, { kind: "state-certificate", certificate: stateCertificate(FAR_IN_EPOCH) }),
    },
  ],
};

test("an allowed identity that breaks a rule is dropped, told of, and kept out for a while", async () => {
  let isDone = false;
  const load = (async () => {
    while (!isDone) await assertGoesOn();
  })();
  await Promise.all(
    HONEST.map(async (target) => {
      for (const misconduct of MISCONDUCT[target]) await assertDropped(target, misconduct);
    }),
  );
  isDone = true;
  await load;
});

async function assertDropped(target: number, { what, code, act }: Misconduct): Promise<void> {
  const client = await beWelcomed(network, target, thief);
  await waitUntil("the validator speaks of its view", LONG_WAIT_MS, () => heardView(client) > 0);
  const mark = network.log(target).length;
  act(client);
  await waitUntil(`${what}: the connection is closed`, LONG_WAIT_MS, client.isEnded);
  await assertLogs(target, mark, new RegExp(`a peer broke the protocol.*"reason":"${code}"`));
  const again = await dialLink(network, target, thief.domain, thief.identity);
  await ended(again);
  await assertLogs(target, mark, /a connection was refused.*network\/banned/);
}

test("after all of it the true owner of the keys comes back, catches up and all agree", async () => {
  await network.start(THIEF);
  await sender.finalize(network.urls);
  const height = Math.min(...(await Promise.all(network.urls.map((url) => blockNumber(url, "finalized")))));
  const [first, ...others] = await Promise.all(network.urls.map((url) => blockHashes(url, 0, height)));
  for (const other of others) assert.deepEqual(other, first);
  for (const index of HONEST) assert.ok(network.log(index).length < MAX_LOG_BYTES, "the log is bounded");
});
