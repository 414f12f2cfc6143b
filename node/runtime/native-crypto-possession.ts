import { hash } from "node:crypto";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes, utf8 } from "@ostrom/base";
import {
  BLS_NEGATED_GENERATOR_G1,
  BLS_POSSESSION_TAG,
  type Bls12381Engine,
  type BlsEngine,
} from "@ostrom/crypto";
import type { BlstBinding } from "./native-crypto-bls12381.ts";

const KEY_LENGTH = 48;
const PROOF_LENGTH = 96;
const FIELD_BYTES = 48;
const PADDING = new Uint8Array(16);
const FIELD_ORDER =
  0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn;
/** A field element takes 64 bytes, one of the extension two of them, and a point is the sum of what two map to (RFC 9380, 3). */
const ELEMENT_BYTES = 64;
const ELEMENTS = 4;
const HASH_BYTES = 32;
const HASH_BLOCK_BYTES = 64;

/** Verifies proofs of possession: blst's binding, which reads and checks points, has the tag of messages built in, so the pairing is
 * another engine's. A proof was the reference's work as long as only genesis had any; contracts ask for them now.
 * Sources: draft-irtf-cfrg-bls-signature-05, 3.3.3; RFC 9380, 5.3.1. */
export function createPossessionCheck(
  blst: BlstBinding,
  curve: Pick<Bls12381Engine, "addG2" | "mapToG2" | "pairing">,
): BlsEngine["verifyPossession"] {
  const generator = blst.PublicKey.fromBytes(BLS_NEGATED_GENERATOR_G1, true);
  const negatedGenerator = concatBytes(...coordinates(generator.toBytes(false)));
  return (key, proof) => {
    if (key.length !== KEY_LENGTH || proof.length !== PROOF_LENGTH) return false;
    const points = readPoints(blst, key, proof);
    if (points === undefined) return false;
    const [first, second] = hashToField(key).map((element) => curve.mapToG2(element));
    if (first === undefined || second === undefined) return false;
    const hashed = curve.addG2(concatBytes(first, second));
    if (hashed === undefined) return false;
    const pairs = concatBytes(points.key, hashed, negatedGenerator, points.proof);
    return curve.pairing(pairs) === true;
  };
}

/** Uncompressed, as EIP-2537 has them. @returns undefined if one is not in its subgroup, or infinity. */
function readPoints(
  { PublicKey, Signature }: BlstBinding,
  key: Bytes,
  proof: Bytes,
): { readonly key: Bytes; readonly proof: Bytes } | undefined {
  try {
    const [x, y] = coordinates(PublicKey.fromBytes(key, true).toBytes(false));
    const [x1, x0, y1, y0] = coordinates(Signature.fromBytes(proof, true, true).toBytes(false));
    return { key: concatBytes(x!, y!), proof: concatBytes(x0!, x1!, y0!, y1!) };
  } catch {
    return undefined;
  }
}

/** Padded to 64 bytes each. */
function coordinates(point: Bytes): readonly Bytes[] {
  const count = point.length / FIELD_BYTES;
  return Array.from({ length: count }, (_, index) =>
    concatBytes(PADDING, point.subarray(index * FIELD_BYTES, (index + 1) * FIELD_BYTES)),
  );
}

/** hash_to_field for two elements of the extension, c0 || c1 each. */
function hashToField(message: Bytes): readonly Bytes[] {
  const uniform = expandMessage(message, ELEMENTS * ELEMENT_BYTES);
  const parts = Array.from({ length: ELEMENTS }, (_, index) => {
    const value = bytesToBigint(uniform.subarray(index * ELEMENT_BYTES, (index + 1) * ELEMENT_BYTES));
    return concatBytes(PADDING, bigintToBytes(value % FIELD_ORDER, FIELD_BYTES));
  });
  return [concatBytes(parts[0]!, parts[1]!), concatBytes(parts[2]!, parts[3]!)];
}

/** expand_message_xmd with SHA-256. */
function expandMessage(message: Bytes, length: number): Bytes {
  const tag = concatBytes(utf8(BLS_POSSESSION_TAG), Uint8Array.of(BLS_POSSESSION_TAG.length));
  const sizes = Uint8Array.of(length >> 8, length & 0xff, 0);
  const first = sha256(concatBytes(new Uint8Array(HASH_BLOCK_BYTES), message, sizes, tag));
  const blocks: Bytes[] = [];
  let last: Bytes = new Uint8Array(HASH_BYTES);
  for (let index = 1; index <= length / HASH_BYTES; index++) {
    const mixed = first.map((byte, at) => byte ^ last[at]!);
    last = sha256(concatBytes(mixed, Uint8Array.of(index), tag));
    blocks.push(last);
  }
  return concatBytes(...blocks);
}

function sha256(data: Bytes): Bytes {
  return Uint8Array.fromHex(hash("sha256", data, "hex"));
}
