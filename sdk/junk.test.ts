import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { addressFromHex, createRandom, hashFromHex, type Random } from "@ostrom/base";
import { installNativeCrypto } from "@ostrom/runtime";
import type { LightResult } from "./failure.ts";
import { createLightClient, type LightClient } from "./light-client.ts";
import { httpServer } from "./server.ts";
import { serveForgedWorld } from "./testing/forged-world.ts";
import { HONEST, tamperedServer } from "./testing/tampering.ts";

const SEED = 99;
const ROUNDS = 1_500;

/** The questions about a transaction and a receipt. */
const MAY_SEEM_ABSENT = new Set([3, 4]);

/** Anything that JSON can be, of the kinds that the answers have. */
function junk(random: Random, depth = 0): unknown {
  const hex = (bytes: number): string =>
    `0x${[...random.bytes(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const plain: readonly (() => unknown)[] = [
    () => null,
    () => random.below(1_000) - 500,
    () => random.chance(1, 2),
    () => "",
    () => hex(random.below(40)),
    () => hex(32),
    () => `0x${random.nextUint32().toString(16)}`,
    () => `0x${"f".repeat(random.below(70))}`,
    () => 2 ** 60,
  ];
  if (depth < 3 && random.chance(1, 3))
    return Array.from({ length: random.below(4) }, () => junk(random, depth + 1));
  return plain[random.below(plain.length)]!();
}

/** An honest answer with junk somewhere in it. */
function spoil(random: Random, answer: unknown): unknown {
  if (random.chance(1, 4) || typeof answer !== "object" || answer === null) return junk(random);
  const copy = structuredClone(answer) as Record<string, unknown>;
  const keys = Object.keys(copy);
  const key = keys[random.below(Math.max(1, keys.length))];
  if (key === undefined) return junk(random);
  if (random.chance(1, 6)) delete copy[key];
  else copy[key] = random.chance(1, 2) ? spoil(random, copy[key]) : junk(random);
  return copy;
}

test("whatever a server answers, the client answers with the truth or with a refusal: it never throws", async (t) => {
  installNativeCrypto();
  const { world, stop } = await serveForgedWorld();
  t.after(stop);
  const random = createRandom(SEED);
  const server = tamperedServer(httpServer(world.url));
  const { checkpoint, genesis, nowMs } = world;
  const till = addressFromHex(world.till);
  const hash = hashFromHex(world.transactionHashes[7]!);
  const questions: readonly ((client: LightClient) => Promise<LightResult<unknown>>)[] = [
    (client) => client.account(till),
    (client) => client.proof(till, [0n, 5n]),
    (client) => client.code(till),
    (client) => client.transaction(hash),
    (client) => client.receipt(hash),
    (client) => client.logs(10, 14),
    (client) => client.header(17),
    (client) => client.header(hash),
    (client) => client.call({ request: { to: till } }),
    (client) => client.estimateGas({ request: { to: till } }),
    (client) => client.checkpoint(),
  ];
  const clientFrom = (start: { readonly genesis: unknown } | { readonly checkpoint: string }): LightClient =>
    createLightClient({ servers: [server], nowMs: () => nowMs, ...start });
  const synced = clientFrom({ checkpoint });
  assert.equal((await synced.sync()).ok, true);
  const truths: unknown[] = [];
  for (const ask of questions) truths.push(await ask(synced));
  const beginnings: unknown[] = [];
  server.tamper = ({ method }, answer) => (method === "ostrom_getStateCertificate" ? null : answer);
  for (const ask of questions) beginnings.push(await ask(clientFrom({ genesis })));
  server.tamper = HONEST;
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // Most know the head already; the others are led astray from the beginning.
    const knowsHead = random.chance(3, 4);
    const start = !knowsHead && random.chance(1, 8) ? { genesis } : { checkpoint };
    const client = knowsHead ? synced : clientFrom(start);
    server.tamper = (_call, answer) => (random.chance(1, 2) ? spoil(random, answer) : answer);
    const which = round % questions.length;
    const answer = await questions[which]!(client);
    if (!answer.ok) refused++;
    // That a transaction is there can be proved; a server may say that it knows of none.
    else if (answer.value !== undefined || !MAY_SEEM_ABSENT.has(which)) {
      // Whoever hears of no certificate at all is at genesis, and what is said of its state is true.
      const isOfGenesis = "genesis" in start && isDeepStrictEqual(answer, beginnings[which]);
      if (!isOfGenesis) assert.deepEqual(answer, truths[which], `round ${round}`);
    }
    server.tamper = HONEST;
  }
  t.diagnostic(`${ROUNDS} questions, ${refused} refused`);
  assert.ok(refused > ROUNDS / 2);
});
