import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "@ostrom/base";
import { BENCH_CACHE } from "./fetched-package.ts";
import { type BenchAccount, type Kind, senderOf, signTokenSetup, type TokenSetup } from "./workload.ts";

/** Several transactions of one lane, ready to be posted. */
export type LoadBatch = {
  readonly lane: number;
  readonly hashes: readonly string[];
  /** JSON-RPC's batch of eth_sendRawTransaction. */
  readonly body: Buffer;
};

/** Signed ahead: the same for every peer and round. */
export type SignedLoad = {
  readonly accounts: readonly BenchAccount[];
  readonly setup: TokenSetup | undefined;
  /** By lane, in the order in which they are to be posted. Each sender is in one lane, its transactions in nonce order. */
  readonly lanes: readonly (readonly LoadBatch[])[];
  readonly count: number;
};

type Signed = { readonly raw: string; readonly hash: string };

export function prepareLoad(
  accounts: readonly BenchAccount[],
  options: {
    readonly kind: Kind;
    readonly count: number;
    readonly lanes: number;
    readonly batch: number;
  },
): SignedLoad {
  const setup = options.kind === "erc20" ? signTokenSetup(accounts) : undefined;
  const each = Math.ceil(options.count / accounts.length);
  const bySender = signOnce(accounts, each, setup?.token);
  const lanes = Array.from({ length: options.lanes }, (_, lane) => {
    const own = bySender.filter((_, sender) => sender % options.lanes === lane);
    // First transactions of all senders, then their second ones, and so on.
    const ordered = Array.from({ length: each }, (_, nonce) => own.map((signed) => signed[nonce]!)).flat();
    return cut(ordered, options.batch).map((batch) => toBatch(lane, batch));
  });
  return { accounts, setup, lanes, count: each * accounts.length };
}

function cut<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function toBatch(lane: number, signed: readonly Signed[]): LoadBatch {
  const calls = signed.map(
    ({ raw }, id) => `{"jsonrpc":"2.0","id":${id},"method":"eth_sendRawTransaction","params":["${raw}"]}`,
  );
  return {
    lane,
    hashes: signed.map(({ hash }) => hash),
    body: Buffer.from(`[${calls.join(",")}]`, "latin1"),
  };
}

/** Signs, or reads what an earlier run signed. The first transaction's hash names the file, so that it is never one with other fields. */
function signOnce(
  accounts: readonly BenchAccount[],
  each: number,
  token: `0x${string}` | undefined,
): readonly (readonly Signed[])[] {
  const sample = toHex(senderOf(accounts, 0, token)(0).hash).slice(2, 18);
  const path = join(BENCH_CACHE, `signed-${sample}-${accounts.length}x${each}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as readonly (readonly Signed[])[];
  const signed = accounts.map((_, sender) => {
    const sign = senderOf(accounts, sender, token);
    return Array.from({ length: each }, (_, nonce) => {
      const { raw, hash } = sign(nonce);
      return { raw: toHex(raw), hash: toHex(hash) };
    });
  });
  mkdirSync(BENCH_CACHE, { recursive: true });
  // Whole or not at all: another run may read it meanwhile.
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(signed));
  renameSync(unfinished, path);
  return signed;
}
