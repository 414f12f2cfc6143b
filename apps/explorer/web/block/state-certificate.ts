import { splitFlatList } from "../data/flat-rlp.ts";

/** A state certificate, for display: the light client is what verifies one. */
export type ShownCertificate = {
  readonly schemeId: number;
  readonly epoch: number;
  readonly height: number;
  readonly orderDigest: string;
  readonly executedHash: string;
  readonly nextSetHash: string;
  /** Indices of the validators that signed, ascending. */
  readonly signers: readonly number[];
  readonly signature: string;
};

/** Items of the certificate's list. Source: `core/consensus/block.ts`, `encodeStateCertificate`. */
const FIELDS = 8;
const BITS = 8;

/** Reads what core/consensus encodes. @throws RangeError if it is something else. */
export function readStateCertificate(rlp: string): ShownCertificate {
  const fields = splitFlatList(rlp);
  if (fields.length !== FIELDS) throw new RangeError(`a state certificate has ${FIELDS} fields`);
  const [scheme, epoch, height, orderDigest, executedHash, nextSetHash, bitmap, signature] = fields;
  return {
    schemeId: count(scheme),
    epoch: count(epoch),
    height: count(height),
    orderDigest: `0x${orderDigest}`,
    executedHash: `0x${executedHash}`,
    nextSetHash: `0x${nextSetHash}`,
    signers: signersOf(bitmap ?? ""),
    signature: `0x${signature}`,
  };
}

/** Validator i is bit i % 8, from the lowest, of byte floor(i / 8). */
function signersOf(bitmap: string): readonly number[] {
  const signers: number[] = [];
  for (let index = 0; index < (bitmap.length / 2) * BITS; index++) {
    const at = Math.floor(index / BITS) * 2;
    const byte = Number.parseInt(bitmap.slice(at, at + 2), 16);
    if (((byte >> (index % BITS)) & 1) === 1) signers.push(index);
  }
  return signers;
}

function count(digits: string | undefined): number {
  return Number.parseInt(digits === undefined || digits === "" ? "0" : digits, 16);
}
