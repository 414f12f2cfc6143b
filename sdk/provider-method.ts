import type { LightResult } from "./failure.ts";
import type { LightClient } from "./light-client.ts";
import type { OwnTransactions } from "./own-transactions.ts";
import { invalidParams, providerError } from "./provider-error.ts";
import { type BlockChoice, readBlockChoice, readParameters } from "./rpc-parameters.ts";
import type { RpcCall } from "./server.ts";
import type { VerifiedHeader } from "./verified-headers.ts";

/** What the methods of one provider share. */
export type ProviderContext = {
  readonly client: LightClient;
  readonly own: OwnTransactions;
  /** Asks the server that is named for what nobody needs to prove: the sending of transactions. */
  readonly send: (call: RpcCall) => Promise<unknown>;
};

/** Answers one method from proofs alone; UNPROVED where the parameters ask for what nothing proves. */
export type ProvedMethod = (context: ProviderContext, params: readonly unknown[]) => Promise<unknown>;

/** There is no proof of this: the provider decides whether to ask a server and believe it. */
export const UNPROVED: unique symbol = Symbol("unproved");

/** A result's value, or its failure as a JSON-RPC error. */
export function orThrow<T>(result: LightResult<T>): T {
  if (!result.ok) throw providerError(result.error);
  return result.value;
}

export function readParameter<T>(
  params: readonly unknown[],
  index: number,
  read: (value: unknown, what: string) => T,
): T {
  const value = params[index];
  if (value === undefined || value === null)
    throw invalidParams(`missing value for required argument ${index}`);
  return readParameters(() => read(value, `argument ${index}`));
}

export function blockChoice(params: readonly unknown[], index: number): BlockChoice {
  return readParameters(() => readBlockChoice(params[index]));
}

/** The block that is meant; undefined if there is none that is certified. Below the newest one, numbers have blocks: a server that withholds
 * what proves one of them does not make it absent. */
export async function findBlock(
  { client }: ProviderContext,
  choice: Extract<BlockChoice, { readonly kind: "certified" }>,
): Promise<VerifiedHeader | undefined> {
  const { at } = choice;
  const found = await client.header(at);
  if (found.ok || found.error.code !== "light/not-available" || at === "latest") return orThrow(found);
  const newest = orThrow(await client.header()).header.number;
  return typeof at === "number" && at <= newest ? orThrow(found) : undefined;
}
