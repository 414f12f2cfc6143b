// Links between four processes, one that sends and three that receive: prints one JSON line for each kind of identity, and one of ratios.
// Run: node node/network/links.bench.ts [seconds for each measurement] [kinds of identities]
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { type Bytes, bytesToUint64 } from "@ostrom/base";
import { createIdentity, type Identity } from "./identity.ts";
import { IDENTITY_KINDS, type IdentityKind } from "./identity-kinds.ts";
import { createLinks, type Links } from "./links.ts";
import { realClock, until } from "./testing/nodes.ts";
import type { NetworkHandlers, PeerAddress, PeerId } from "./types.ts";

const RECEIVERS = 3;
const UNLIMITED = 1e12;
const MIB = 1024 * 1024;

type Setup = { readonly identity: Identity; readonly allowed: readonly PeerId[] };

function start(setup: Setup, peers: () => readonly PeerAddress[], handlers: NetworkHandlers): Links {
  const allowed = new Set(setup.allowed);
  return createLinks({
    identity: setup.identity,
    networkId: "bench",
    listen: { host: "127.0.0.1", port: 0 },
    peers,
    isAllowed: (peerId) => allowed.has(peerId),
    handlers,
    limits: {
      inboundBytesPerSecond: UNLIMITED,
      maxQueuedBytes: 64 * MIB,
      maxConnectionsPerMinute: UNLIMITED,
      maxHandshakeStepsPerSecond: UNLIMITED,
    },
    log: () => {},
    clock: realClock,
    entropy: { bytes: (length) => randomBytes(length) },
  });
}

/** Answers frames of `sync` with the count of frames received before; counts all others. */
function receive(setup: Setup): void {
  let count = 0;
  const links = start(setup, () => [], {
    onFrame: (peerId, channel) => {
      if (channel !== "sync") {
        count += 1;
        return;
      }
      const answer = new Uint8Array(8);
      new DataView(answer.buffer).setUint32(4, count);
      links.send(peerId, "sync", answer);
    },
    onUp: () => {},
    onDown: () => {},
  });
  void links.start().then((address) => process.send?.(address));
}

const children: ChildProcess[] = [];
process.on("exit", () => {
  for (const child of children) child.kill();
});

async function startReceiver(setup: Setup): Promise<PeerAddress> {
  const child = fork(import.meta.filename, ["receive"], { serialization: "json" });
  children.push(child);
  const address = new Promise<PeerAddress>((resolve) => {
    child.once("message", (message) =>
      resolve({ peerId: setup.identity.peerId, ...(message as { host: string; port: number }) }),
    );
  });
  child.send(setup);
  return address;
}

type Answers = { readonly ask: () => Promise<number> };

/** Asks every receiver how many frames it has; resolves when all have answered. */
function answersOf(links: Links, onAnswer: (listener: (payload: Bytes) => void) => void): Answers {
  let [left, least, finish] = [0, 0, (_: number): void => {}];
  onAnswer((payload) => {
    least = Math.min(least, bytesToUint64(payload));
    left -= 1;
    if (left === 0) finish(least);
  });
  return {
    ask: () =>
      new Promise((resolve) => {
        [left, least, finish] = [RECEIVERS, Number.POSITIVE_INFINITY, resolve];
        links.broadcast("sync", new Uint8Array(0));
      }),
  };
}

async function measureRate(links: Links, answers: Answers, size: number, seconds: number): Promise<Rate> {
  const payload = randomBytes(size);
  const before = await answers.ask();
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  let sent = 0;
  const queued = (): boolean => links.stats().peers.some((peer) => peer.queuedBytes > 16 * MIB);
  while (performance.now() - startedAt < seconds * 1_000) {
    for (let count = 0; count < Math.max(1, 200_000 / size); count++) {
      links.broadcast("consensus", payload);
      sent += 1;
    }
    do await new Promise((resolve) => setImmediate(resolve));
    while (queued());
  }
  while ((await answers.ask()) - before < sent);
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  const delivered = sent * RECEIVERS;
  return {
    perSecond: Math.round(delivered / elapsedSeconds),
    mbPerSecond: Math.round((delivered * size) / elapsedSeconds / 1e6),
    senderCpuUs: Number(((cpu.user + cpu.system) / delivered).toFixed(2)),
  };
}

type Rate = { readonly perSecond: number; readonly mbPerSecond: number; readonly senderCpuUs: number };

async function measureRoundTrips(answers: Answers, count: number): Promise<{ p50Ms: number; p99Ms: number }> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const startedAt = performance.now();
    await answers.ask();
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => Number((times[Math.floor(times.length * share)] ?? 0).toFixed(3));
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

type HandshakeRate = { readonly perSecond: number; readonly dialerCpuUs: number };

/** Handshakes one after another, each with a connection of its own. */
async function measureHandshakes(
  links: Links,
  address: PeerAddress,
  seconds: number,
): Promise<HandshakeRate> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  let count = 0;
  for (; performance.now() - startedAt < seconds * 1_000; count++) {
    if ((await links.probe(address)) !== address.peerId) throw new Error("a handshake failed");
  }
  const cpu = process.cpuUsage(cpuBefore);
  return {
    perSecond: Math.round(count / ((performance.now() - startedAt) / 1_000)),
    dialerCpuUs: Math.round((cpu.user + cpu.system) / count),
  };
}

type KindResult = {
  readonly kind: IdentityKind;
  readonly handshakes: HandshakeRate;
  readonly bytes200: Rate;
  readonly bytes10k: Rate;
  readonly bytes1M: Rate;
};

async function measureKind(kind: IdentityKind, seconds: number): Promise<KindResult> {
  const identities = Array.from({ length: RECEIVERS + 1 }, () => createIdentity(kind));
  const allowed = identities.map((identity) => identity.peerId);
  const [own, ...others] = identities as [Identity, ...Identity[]];
  const addresses = await Promise.all(others.map((identity) => startReceiver({ identity, allowed })));
  const listeners: ((payload: Bytes) => void)[] = [];
  const links = start({ identity: own, allowed }, () => addresses, {
    onFrame: (_peerId, _channel, payload) => {
      for (const listener of listeners) listener(payload);
    },
    onUp: () => {},
    onDown: () => {},
  });
  await links.start();
  await until("all receivers are linked", () => links.connected().length === RECEIVERS);
  const answers = answersOf(links, (listener) => listeners.push(listener));
  await measureRoundTrips(answers, 500);
  const result = {
    bench: "links",
    kind,
    receivers: RECEIVERS,
    roundTrip: await measureRoundTrips(answers, 2_000),
    bytes200: await measureRate(links, answers, 200, seconds),
    bytes10k: await measureRate(links, answers, 10_000, seconds),
    bytes1M: await measureRate(links, answers, 1_000_000, seconds),
    // A probe replaces the link to that receiver: it comes last.
    handshakes: await measureHandshakes(links, addresses[0]!, seconds),
  };
  await links.stop();
  for (const child of children.splice(0)) child.kill();
  console.log(JSON.stringify(result));
  return result;
}

async function main(seconds: number, kinds: readonly IdentityKind[]): Promise<void> {
  const results: KindResult[] = [];
  for (const kind of kinds) results.push(await measureKind(kind, seconds));
  const base = results.find(({ kind }) => kind === "ed25519");
  if (base !== undefined) {
    const share = (part: number, whole: number): number => Number((part / whole).toFixed(2));
    const ratios = results.map((result) => ({
      kind: result.kind,
      handshakes: share(result.handshakes.perSecond, base.handshakes.perSecond),
      handshakeCpu: share(result.handshakes.dialerCpuUs, base.handshakes.dialerCpuUs),
      bytes200: share(result.bytes200.perSecond, base.bytes200.perSecond),
      bytes10k: share(result.bytes10k.perSecond, base.bytes10k.perSecond),
      bytes1M: share(result.bytes1M.perSecond, base.bytes1M.perSecond),
      senderCpuOf1M: share(result.bytes1M.senderCpuUs, base.bytes1M.senderCpuUs),
    }));
    console.log(JSON.stringify({ bench: "links", ratiosTo: "ed25519", ratios }));
  }
  process.exit(0);
}

const [mode, ...words] = process.argv.slice(2);
if (mode === "receive") process.once("message", (setup) => receive(setup as Setup));
else await main(Number(mode ?? 2), words.length === 0 ? IDENTITY_KINDS : (words as IdentityKind[]));
