import { createRandom, type Failure, must, type Random, type Result } from "@ostrom/base";
import type { LightServer } from "../server.ts";
import { httpServer } from "../server.ts";
import { proofForgeries } from "./proof-forgeries.ts";
import { syncForgeries } from "./sync-forgeries.ts";
import { tamperedServer } from "./tampering.ts";

/** What both a test in Node and a page in a browser know of the chain that is lied about. Plain JSON. */
export type ForgedWorld = {
  readonly url: string;
  /** Of another chain. */
  readonly otherUrl: string;
  readonly genesis: unknown;
  readonly otherGenesis: unknown;
  /** The client's clock. */
  readonly nowMs: number;
  readonly height: number;
  readonly epochLength: number;
  readonly epochLead: number;
  /** Two epochs below the head; and one of the other chain. */
  readonly checkpoint: string;
  readonly otherCheckpoint: string;
  readonly till: string;
  readonly teller: string;
  readonly accounts: readonly string[];
  readonly transactionHashes: readonly string[];
};

/** One lie, and the question by whose answer the client shows whether it believed it. */
export type Forgery = {
  readonly name: string;
  readonly ask: () => Promise<Result<unknown, Failure>>;
};

export type ForgeryReport = {
  readonly tried: number;
  /** Names of lies that were believed. Must be empty. */
  readonly believed: readonly string[];
  /** How many were refused with which code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, number>>;
};

/** Tells one lie after the other. The seed fixes them all. */
export async function tellLies(world: ForgedWorld, seed: number): Promise<ForgeryReport> {
  const believed: string[] = [];
  const codes: Record<string, number> = {};
  const kinds: Record<string, number> = {};
  let tried = 0;
  for await (const { name, ask } of allForgeries(world, createRandom(seed))) {
    const answer = await ask();
    tried++;
    const kind = must(name.split(":")[0], "a lie has a kind");
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    if (answer.ok) believed.push(name);
    else codes[answer.error.code] = (codes[answer.error.code] ?? 0) + 1;
  }
  return { tried, believed, codes, kinds };
}

/** Servers of both chains, whose answers are remembered. */
export type ForgeryGround = {
  readonly world: ForgedWorld;
  readonly random: Random;
  readonly server: ReturnType<typeof tamperedServer>;
  readonly other: LightServer;
};

async function* allForgeries(world: ForgedWorld, random: Random): AsyncGenerator<Forgery> {
  const ground = {
    world,
    random,
    server: tamperedServer(httpServer(world.url)),
    other: tamperedServer(httpServer(world.otherUrl)),
  };
  yield* syncForgeries(ground);
  yield* proofForgeries(ground);
}
