import { gunzipSync, gzipSync } from "node:zlib";
import {
  addressFromHex,
  type Bytes,
  type Failure,
  fail,
  type Hash,
  hashFromHex,
  ok,
  type Result,
  toHex,
} from "@ostrom/base";
import { INITIAL_INSTANT_STATE, type InstantState } from "@ostrom/consensus";
import {
  decodeTransaction,
  impersonatedSender,
  recoverSender,
  type SignedTransaction,
} from "@ostrom/execution";
import type { DevelopmentChain, MiningSettings } from "./development-chain.ts";

/** The first bytes of a dump, before it is compressed. */
const FORMAT = "ostrom-dev-state-1";
/** A dump is read into memory whole. */
const MAX_DUMP_BYTES = 2 ** 31 - 1;

export type EngineDocument = {
  readonly format: string;
  readonly chainId: string;
  readonly engine: Readonly<Record<string, unknown>>;
  readonly settings: {
    readonly coinbase: string;
    readonly blockGasLimit: string;
    readonly minGasPrice: string;
  };
};

type Document = EngineDocument & {
  /** Raw transactions that wait, as they came. */
  readonly pool: readonly string[];
  /** Keys and values of the store, both in base64, one after the other. */
  readonly store: readonly string[];
};

/** What a dump holds. */
export type DevelopmentDump = {
  readonly chainId: bigint;
  readonly engine: InstantState;
  readonly settings: MiningSettings;
  readonly pool: readonly string[];
  readonly values: Map<string, Bytes>;
};

/** Writes a whole chain down: all blocks, receipts, states and their history, what waits, and the time.
 * @returns compressed with gzip. */
export function encodeDump(chain: DevelopmentChain, values: ReadonlyMap<string, Bytes>): Bytes {
  const document: Document = {
    ...writeEngine(chain),
    pool: chain.pool.all().map(({ raw }) => toHex(raw)),
    store: [...values].flatMap(([name, value]) => [
      Buffer.from(name, "latin1").toString("base64"),
      Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64"),
    ]),
  };
  return new Uint8Array(gzipSync(JSON.stringify(document)));
}

/** What a chain has besides its store and its pool. */
export function writeEngine(chain: DevelopmentChain): EngineDocument {
  const { coinbase, blockGasLimit, minGasPrice } = chain.settings;
  const { nextBaseFee, nextPrevRandao, ...engine } = chain.engine;
  return {
    format: FORMAT,
    chainId: String(chain.genesis.rules.chainId),
    engine: {
      ...engine,
      ...(nextBaseFee === undefined ? {} : { nextBaseFee: String(nextBaseFee) }),
      ...(nextPrevRandao === undefined ? {} : { nextPrevRandao: toHex(nextPrevRandao) }),
    },
    settings: {
      coinbase: toHex(coinbase),
      blockGasLimit: String(blockGasLimit),
      minGasPrice: String(minGasPrice),
    },
  };
}

/** Errors: `dev/bad-dump`. */
export function decodeDump(bytes: Bytes): Result<DevelopmentDump, Failure<"dev/bad-dump">> {
  try {
    const text = gunzipSync(bytes, { maxOutputLength: MAX_DUMP_BYTES }).toString("utf8");
    const document = JSON.parse(text) as Document;
    if (document.format !== FORMAT)
      return fail("dev/bad-dump", `not a dump of this program: ${document.format}`);
    const values = new Map<string, Bytes>();
    for (let at = 0; at + 1 < document.store.length; at += 2) {
      const name = Buffer.from(document.store[at] ?? "", "base64").toString("latin1");
      values.set(name, new Uint8Array(Buffer.from(document.store[at + 1] ?? "", "base64")));
    }
    return ok({ ...readEngineDocument(document), pool: document.pool, values });
  } catch (error) {
    const what = "the state cannot be read: it is no dump of ostrom dev, or is damaged";
    return fail("dev/bad-dump", `${what} (${(error as Error).message})`);
  }
}

/** The way back of `writeEngine`. Throws where the document is none. */
export function readEngineDocument({
  chainId,
  engine,
  settings: { coinbase, blockGasLimit, minGasPrice },
}: EngineDocument): Pick<DevelopmentDump, "chainId" | "engine" | "settings"> {
  return {
    chainId: BigInt(chainId),
    engine: readEngine(engine),
    settings: {
      coinbase: addressFromHex(coinbase),
      blockGasLimit: BigInt(blockGasLimit),
      minGasPrice: BigInt(minGasPrice),
    },
  };
}

function readEngine(engine: Document["engine"]): InstantState {
  const { nextBaseFee, nextPrevRandao, ...rest } = engine;
  const fixed: { readonly nextBaseFee: bigint | undefined; readonly nextPrevRandao: Hash | undefined } = {
    nextBaseFee: typeof nextBaseFee === "string" ? BigInt(nextBaseFee) : undefined,
    nextPrevRandao: typeof nextPrevRandao === "string" ? hashFromHex(nextPrevRandao) : undefined,
  };
  return { ...INITIAL_INSTANT_STATE, ...(rest as Partial<InstantState>), ...fixed };
}

/** A transaction that waited, as its bytes tell it; undefined if they do not. */
export function readPooled(chain: DevelopmentChain, text: string): SignedTransaction | undefined {
  const decoded = decodeTransaction(new Uint8Array(Buffer.from(text.slice(2), "hex")));
  if (!decoded.ok) return undefined;
  // Of an impersonated one, no key need be recoverable.
  const impersonated = impersonatedSender(decoded.value, chain.genesis.rules);
  if (impersonated !== undefined) return { ...decoded.value, sender: impersonated };
  const sender = recoverSender(decoded.value);
  return sender.ok ? { ...decoded.value, sender: sender.value } : undefined;
}
