import { type Bytes, Epoch, must, View, ZERO_HASH } from "@ostrom/base";
import { ethereumDomain, type Signatures, voteSigningBytes } from "@ostrom/consensus";
import type { PlantedBug } from "./planted-bug.ts";

/** A signature over something of the epoch before counts in this one. */
export const acceptAnotherEpoch: PlantedBug = {
  name: "accept a certificate of another epoch",
  seams: { signatures: (signatures) => blindToEpochs(signatures) },
  faults: ["byzantine"],
  epochs: true,
  actors: ["replayer"],
  breaks: ["certificate", "agreement"],
  within: 60,
};

const EMPTY_INTEGER = 0x80;

function blindToEpochs(inner: Signatures): Signatures {
  return {
    ...inner,
    verifyOne: (key, message, signature) =>
      inner.verifyOne(key, message, signature) || inner.verifyOne(key, ofEpochBefore(message), signature),
    verifyAggregate: (keys, message, aggregate) =>
      inner.verifyAggregate(keys, message, aggregate) ||
      inner.verifyAggregate(keys, ofEpochBefore(message), aggregate),
  };
}

/** Where small epochs stand in the bytes that are signed. */
const EPOCH_OFFSET: number = firstDifference(bytesOfEpoch(1), bytesOfEpoch(2));

function bytesOfEpoch(epoch: number): Bytes {
  return voteSigningBytes(ethereumDomain(ZERO_HASH), {
    kind: "nullify",
    epoch: Epoch(epoch),
    view: View(1),
    digest: ZERO_HASH,
  });
}

function firstDifference(a: Bytes, b: Bytes): number {
  return a.findIndex((byte, index) => byte !== b[index]);
}

function ofEpochBefore(message: Bytes): Bytes {
  const changed = message.slice();
  const epoch = must(changed[EPOCH_OFFSET], "signed bytes have an epoch");
  changed[EPOCH_OFFSET] = epoch === 1 ? EMPTY_INTEGER : epoch - 1;
  return changed;
}
