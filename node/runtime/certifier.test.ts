import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, Epoch, Height, ZERO_HASH } from "@ostrom/base";
import {
  type Executed,
  executedSigningBytes,
  type Message,
  type SignedExecuted,
  type StateCertificate,
  ValidatorIndex,
} from "@ostrom/consensus";
import { bls, keccak256 } from "@ostrom/crypto";
import { Certifier } from "./certifier.ts";
import { replayJournal } from "./journal-records.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { createManualClock, endOfTurn } from "./testing/manual-clock.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { validatorSecret } from "./testing/simulated-genesis.ts";
import { VoteJournal } from "./vote-journal.ts";

installNativeCrypto();
const chain = new OrderedChain();
const RESEND_MS = 400;

function executed(height: number, mark = 1): Executed {
  return {
    epoch: Epoch(0),
    height: Height(height),
    orderDigest: keccak256(Uint8Array.of(height)),
    executedHash: keccak256(Uint8Array.of(height, mark)),
    nextSetHash: ZERO_HASH,
  };
}

function signedBy(index: number, result: Executed): Message {
  const signature = bls().sign(validatorSecret(index), executedSigningBytes(chain.domain, result));
  return { kind: "executed", executed: { executed: result, signer: ValidatorIndex(index), signature } };
}

function setUp(
  options: {
    readonly newest?: StateCertificate;
    readonly results?: readonly Executed[];
    readonly sync?: () => Promise<void>;
  } = {},
) {
  const clock = createManualClock(1_000);
  const seen = {
    sent: [] as Message[],
    certified: [] as number[],
    diverged: [] as string[],
    faults: [] as string[],
    failures: [] as unknown[],
    appended: [] as Bytes[],
  };
  const journal = new VoteJournal({
    log: {
      append: (records) => void seen.appended.push(...records),
      sync: options.sync ?? (async () => undefined),
      rotate: async () => undefined,
    },
    domain: chain.domain,
    replayed: replayJournal([]),
    settled: { epoch: 0, view: 0 },
  });
  journal.takeSeat({
    epoch: Epoch(0),
    index: ValidatorIndex(0),
    schemeId: chain.validators.schemeId,
    sign: (message) => bls().sign(validatorSecret(0), message),
  });
  const certifier = new Certifier(
    {
      domain: chain.domain,
      validators: chain.validators,
      earlierValidators: [],
      own: ValidatorIndex(0),
      lastHeight: Height(1_000),
      resendMs: RESEND_MS,
    },
    options.newest,
    options.results ?? [],
    {
      clock,
      journal,
      send: (_to, message) => seen.sent.push(message),
      broadcast: (message) => seen.sent.push(message),
      certified: (certificate) => seen.certified.push(certificate.executed.height),
      diverged: (message) => seen.diverged.push(message),
      evidence: () => undefined,
      fault: (peer, code) => seen.faults.push(`${peer} ${code}`),
      failed: (error) => seen.failures.push(error),
    },
  );
  certifier.start();
  const hear = (index: number, result: Executed): void =>
    certifier.input({ kind: "message", from: ValidatorIndex(index), message: signedBy(index, result) });
  return { certifier, clock, seen, hear };
}

const saidResults = (messages: readonly Message[]): readonly SignedExecuted[] =>
  messages.flatMap((message) => (message.kind === "executed" ? [message.executed] : []));

test("a result is sent only after its record is on disk", async () => {
  const disk = Promise.withResolvers<void>();
  const { certifier, seen } = setUp({ sync: () => disk.promise });
  certifier.input({ kind: "executed", executed: executed(1) });
  await endOfTurn();
  assert.equal(seen.appended.length, 1);
  assert.deepEqual(saidResults(seen.sent), []);
  disk.resolve();
  await endOfTurn();
  assert.deepEqual(
    saidResults(seen.sent).map(({ executed: result }) => result.height),
    [1],
  );
});

test("a quorum of equal results is a certificate", async () => {
  const { certifier, seen, hear } = setUp();
  certifier.input({ kind: "executed", executed: executed(1) });
  await endOfTurn();
  hear(1, executed(1));
  assert.deepEqual(seen.certified, []);
  hear(2, executed(1));
  await endOfTurn();
  assert.deepEqual(seen.certified, [1]);
});

test("results that were stored and not certified are signed again after a restart", async () => {
  const { seen } = setUp({ results: [executed(1), executed(2)] });
  await endOfTurn();
  assert.deepEqual(
    saidResults(seen.sent).map(({ executed: result }) => result.height),
    [1, 2],
  );
});

test("a quorum for another result than this node's is told, and nothing is signed after it", async () => {
  const { certifier, seen, hear } = setUp();
  certifier.input({ kind: "executed", executed: executed(1) });
  await endOfTurn();
  for (const index of [1, 2, 3]) hear(index, executed(1, 2));
  await endOfTurn();
  assert.equal(seen.diverged.length, 1);
  const said = saidResults(seen.sent).length;
  certifier.input({ kind: "executed", executed: executed(2) });
  await endOfTurn();
  assert.equal(saidResults(seen.sent).length, said);
  assert.deepEqual(seen.certified, []);
});

test("while a result is not certified it is said again now and then, and never after a stop", async () => {
  const { certifier, clock, seen } = setUp();
  certifier.input({ kind: "executed", executed: executed(1) });
  await endOfTurn();
  clock.advance(RESEND_MS);
  await endOfTurn();
  assert.equal(saidResults(seen.sent).length, 2);
  await certifier.stop();
  clock.advance(10 * RESEND_MS);
  await endOfTurn();
  assert.equal(saidResults(seen.sent).length, 2);
});

test("a wrong certificate is a fault of whoever sent it", async () => {
  const { certifier, seen } = setUp();
  const good = chain.stateCertificateOf(executed(3));
  const certificate = { ...good, executed: executed(3, 9) };
  certifier.input({
    kind: "message",
    from: ValidatorIndex(2),
    message: { kind: "state-certificate", certificate },
  });
  await endOfTurn();
  assert.deepEqual(seen.faults, ["2 certification/bad-certificate"]);
});

test("a log that cannot be written stops the node, and the result stays unsaid", async () => {
  const { certifier, seen } = setUp({ sync: () => Promise.reject(new Error("the disk is full")) });
  certifier.input({ kind: "executed", executed: executed(1) });
  await endOfTurn();
  assert.equal(seen.failures.length, 1);
  assert.deepEqual(saidResults(seen.sent), []);
});
