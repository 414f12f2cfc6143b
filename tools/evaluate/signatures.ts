import { parseArgs } from "node:util";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import {
  REFERENCE_SIGNATURE_ENGINES,
  SCHEME_BLS12381,
  SCHEME_SECP256K1,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
} from "@ostrom/crypto";
import { SIGNATURE_BYTE_GAS, signatureGas } from "@ostrom/vm";
import { measureOperations } from "../bench/crypto.ts";
import { type CryptoOperation, RECOVERY, signatureOperations } from "../bench/crypto-operations.ts";
import { hasCryptoVectors } from "./vector-files.ts";
import type { VectorOutcome } from "./vector-record.ts";
import { runCryptoVectors } from "./vectors.ts";

const TRANSFER_GAS = 21_000n;
const BLOCK_GAS = 30_000_000n;
/** Signers whose certificate's size is told: two thirds and one of 100 validators of equal weight. */
const CERTIFICATE_SIGNERS = 67;
const DEFAULT_BUDGET_MS = "150";

/** What a chain would carry of transfers by accounts of one scheme. */
type Carried = {
  readonly transactionBytes: number;
  readonly inlineBytes: number;
  readonly gas: bigint;
  readonly transfersInBlock: number;
  readonly blockBytes: number;
};

type Speeds = { readonly verify: number; readonly sign: number | undefined };

/** Prints a table in Markdown, one row a scheme and engine: what keys and signatures weigh, what checking takes, what a chain would carry. */
export function run(argv: readonly string[]): void {
  const { values } = parseArgs({
    args: [...argv],
    options: { "budget-ms": { type: "string", default: DEFAULT_BUDGET_MS } },
  });
  const times = measureOperations(signatureOperations(), Number(values["budget-ms"]));
  const recovery = times.get(RECOVERY) ?? 1;
  const outcomes = hasCryptoVectors() ? runCryptoVectors() : [];
  console.log(
    "| scheme | engine | key | signature | verify/s | to recover | sign/s | gas | transfer, bytes | first one | " +
      "transfers a block | block, KB | checks/s on 2 cores | certificate, bytes | vectors |",
  );
  console.log(`|---|---|${"--:|".repeat(13)}`);
  for (const scheme of SIGNATURE_SCHEMES) {
    for (const engine of enginesOf(scheme, times)) {
      console.log(
        rowOf(scheme, engine, speedsOf(scheme, engine, times), recovery, vectorsOf(scheme, engine, outcomes)),
      );
    }
  }
}

function rowOf(
  scheme: SignatureScheme,
  engine: string,
  speeds: Speeds,
  recoveryUs: number,
  vectors: string,
): string {
  const carried = scheme.id === SCHEME_BLS12381 ? undefined : carriedBy(scheme);
  const perSecond = (us: number | undefined): string =>
    us === undefined ? "-" : count(Math.round(1e6 / us));
  const cells = [
    scheme.isExperimental ? `${scheme.name} (experimental)` : scheme.name,
    engine,
    scheme.publicKeyLength,
    scheme.signatureLength,
    perSecond(speeds.verify),
    (speeds.verify / recoveryUs).toPrecision(3),
    perSecond(speeds.sign),
    carried?.gas ?? "-",
    carried?.transactionBytes ?? "-",
    carried?.inlineBytes ?? "-",
    carried === undefined ? "-" : count(carried.transfersInBlock),
    carried === undefined ? "-" : count(Math.round(carried.blockBytes / 1000)),
    perSecond(speeds.verify / 2),
    count(certificateBytes(scheme)),
    vectors,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** A transfer as type 0x60 (as type 2 for secp256k1, which has a transaction type of its own): with its key on chain, and with the key inline. */
function carriedBy(scheme: SignatureScheme): Carried {
  const isPlain = scheme.id === SCHEME_SECP256K1;
  const transactionBytes = isPlain ? plainTransferBytes() : agileTransferBytes(scheme, false);
  const inlineBytes = isPlain ? transactionBytes : agileTransferBytes(scheme, true);
  const extraGas = isPlain
    ? 0n
    : signatureGas(scheme.id) + SIGNATURE_BYTE_GAS * BigInt(scheme.signatureLength);
  const gas = TRANSFER_GAS + extraGas;
  const transfersInBlock = Number(BLOCK_GAS / gas);
  return {
    transactionBytes,
    inlineBytes,
    gas,
    transfersInBlock,
    blockBytes: transfersInBlock * transactionBytes,
  };
}

const CHAIN_ID = rlpUint(20_261n);
const NONCE = rlpUint(1000n);
const FEE = rlpUint(10n ** 9n);
const GAS_LIMIT = rlpUint(60_000n);
const RECIPIENT = new Uint8Array(20).fill(0x11);
const VALUE = rlpUint(10n ** 18n);
const NOTHING = new Uint8Array(0);
const WORD = new Uint8Array(32).fill(0x22);
const TYPE_BYTE = 1;

function agileTransferBytes(scheme: SignatureScheme, isInline: boolean): number {
  const id = rlpUint(BigInt(scheme.id));
  const key = [id, new Uint8Array(scheme.publicKeyLength).fill(1)];
  const [threshold, keys] = isInline ? [rlpUint(1n), [key]] : [rlpUint(0n), []];
  const authorization = [rlpUint(0n), id, new Uint8Array(scheme.signatureLength).fill(1)];
  const fields = [
    CHAIN_ID,
    NONCE,
    FEE,
    FEE,
    GAS_LIMIT,
    RECIPIENT,
    VALUE,
    NOTHING,
    [],
    RECIPIENT,
    rlpUint(1n),
  ];
  return TYPE_BYTE + encodeRlp([...fields, NOTHING, threshold, keys, [authorization]]).length;
}

function plainTransferBytes(): number {
  const fields = [CHAIN_ID, NONCE, FEE, FEE, GAS_LIMIT, RECIPIENT, VALUE, NOTHING, []];
  return TYPE_BYTE + encodeRlp([...fields, rlpUint(1n), WORD, WORD]).length;
}

function certificateBytes(scheme: SignatureScheme): number {
  const bitmap = Math.ceil(100 / 8);
  return bitmap + (scheme.aggregates ? scheme.signatureLength : CERTIFICATE_SIGNERS * scheme.signatureLength);
}

function enginesOf(scheme: SignatureScheme, times: ReadonlyMap<CryptoOperation, number>): readonly string[] {
  const verifications = [...times.keys()].filter(
    (operation) => operation.scheme === scheme.name && operation.action === "verify",
  );
  return verifications.map((operation) => operation.engine);
}

function speedsOf(
  scheme: SignatureScheme,
  engine: string,
  times: ReadonlyMap<CryptoOperation, number>,
): Speeds {
  const find = (action: string): number | undefined =>
    [...times].find(
      ([operation]) =>
        operation.scheme === scheme.name && operation.engine === engine && operation.action === action,
    )?.[1];
  return { verify: find("verify") ?? Number.NaN, sign: find("sign") };
}

/** Engines of one scheme may be known by other names to vectors: whose files count is told by who ran them first, the portable one. */
function vectorsOf(scheme: SignatureScheme, engine: string, outcomes: readonly VectorOutcome[]): string {
  const isPortable = engine === (REFERENCE_SIGNATURE_ENGINES[scheme.id]?.name ?? "noble");
  const own = outcomes.filter(
    (outcome) => outcome.schemeId === scheme.id && (outcome.engine === "noble") === isPortable,
  );
  const passed = own.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failed = own.reduce((sum, outcome) => sum + outcome.failed.length, 0);
  if (own.length === 0) return "the standard's examples";
  return failed === 0 ? count(passed) : `${count(passed)}, ${failed} FAILED`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
