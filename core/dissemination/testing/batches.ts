import { type Address, type Bytes, concatBytes, equalBytes, hashFromWord, type Random } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { addressOfSecretKey, type SignedTransaction, signTransaction } from "@ostrom/execution";
import {
  type Attestation,
  attestationSigningBytes,
  type BatchAuthors,
  type BatchDomain,
  type BatchHeader,
  type BatchPlace,
  beginGathering,
  type CertifiedBatch,
  certifiedOf,
  encodeBatch,
  gather,
} from "../index.ts";

/** Signatures that cost nothing: whoever knows the public key can make them, and no test does so by chance. */
export const DOMAIN: BatchDomain = {
  genesisHash: hashFromWord(7n),
  hash: keccak256,
  verify: (publicKey, message, signature) => equalBytes(signature, signWith(publicKey, message)),
};

export function signWith(key: Bytes, message: Bytes): Bytes {
  return keccak256(concatBytes(key, message));
}

/** A set of the epoch with these weights. */
export function authorsOf(weights: readonly number[], epoch = 3): BatchAuthors {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    epoch,
    weights,
    keys: weights.map((_, index) => keccak256(Uint8Array.of(index >> 8, index & 255))),
    leastWeight: Math.ceil(total / 3),
  };
}

export const FOUR: BatchAuthors = authorsOf([1, 1, 1, 1]);

export function headerOf(fields: Partial<BatchHeader> = {}): BatchHeader {
  return {
    epoch: 3,
    author: 1,
    sequence: 5,
    expiryHeight: 600,
    digest: hashFromWord(99n),
    byteLength: 1_000,
    count: 8,
    gasLimit: 168_000n,
    ...fields,
  };
}

export function placeOf({ epoch, author, sequence, expiryHeight }: BatchHeader): BatchPlace {
  return { epoch, author, sequence, expiryHeight };
}

export function attest(
  header: BatchHeader,
  signer: number,
  authors: BatchAuthors = FOUR,
  domain: BatchDomain = DOMAIN,
): Attestation {
  const message = attestationSigningBytes(domain.genesisHash, header);
  return { header, signer, signature: signWith(authors.keys[signer]!, message) };
}

/** As an author makes it whose batch all others attest to. */
export function certify(header: BatchHeader, authors: BatchAuthors = FOUR): CertifiedBatch {
  const others = authors.keys.keys().filter((index) => index !== header.author);
  const gathered = others.reduce(
    (gathering, signer) => gather(gathering, attest(header, signer, authors)),
    beginGathering(attest(header, header.author, authors)),
  );
  return certifiedOf(authors, gathered)!;
}

const CLIENT_KEYS: readonly Bytes[] = [hashFromWord(50n), hashFromWord(51n), hashFromWord(52n)];

export function clientAddress(client: number): Address {
  return addressOfSecretKey(CLIENT_KEYS[client]!);
}

export function transfer(client: number, nonce: number, chainId = 1337n): SignedTransaction {
  return signTransaction(
    {
      type: 2,
      chainId,
      nonce: BigInt(nonce),
      maxFeePerGas: 100n,
      gasLimit: 21_000n,
      to: clientAddress(0),
      value: 1n,
    },
    CLIENT_KEYS[client]!,
  );
}

export type MadeBatch = { readonly header: BatchHeader; readonly bytes: Bytes };

/** A batch and the header that is true of it.
 * @param senders that it claims; those who signed if absent. */
export function makeBatch(
  transactions: readonly SignedTransaction[],
  fields: Partial<BatchHeader> = {},
  senders: readonly Bytes[] = transactions.map(({ sender }) => sender),
): MadeBatch {
  return describeBatch(
    encodeBatch({
      place: placeOf(headerOf(fields)),
      transactions: transactions.map(({ raw }) => raw),
      claims: concatBytes(...senders),
    }),
    {
      count: transactions.length,
      gasLimit: transactions.reduce((sum, { gasLimit }) => sum + gasLimit, 0n),
      ...fields,
    },
  );
}

export function describeBatch(bytes: Bytes, fields: Partial<BatchHeader>): MadeBatch {
  return { bytes, header: headerOf({ digest: keccak256(bytes), byteLength: bytes.length, ...fields }) };
}

/** A bit or a byte changed, the end cut off or bytes added. */
export function damage(random: Random, bytes: Bytes): Bytes {
  const place = random.below(bytes.length);
  switch (random.below(4)) {
    case 0:
      return bytes.slice(0, place);
    case 1:
      return concatBytes(bytes, random.bytes(1 + random.below(4)));
    case 2:
      return concatBytes(
        bytes.subarray(0, place),
        random.bytes(1 + random.below(3)),
        bytes.subarray(place + 1),
      );
    default: {
      const damaged = bytes.slice();
      damaged[place]! ^= 1 << random.below(8);
      return damaged;
    }
  }
}
