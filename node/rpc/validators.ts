import { toHex } from "@ostrom/base";
import { checksumAddress, quantity } from "@ostrom/rpc-schema";
import type { ValidatorReads } from "./backend.ts";
import { countOrNumber } from "./decode.ts";
import type { JsonObject } from "./json.ts";
import { defineMethod, type Method, optional } from "./method.ts";

/** Pieces of evidence in one answer. */
const MAX_EVIDENCE = 128;

/** Who validates a chain, and what proves that one of them broke its word. */
export const validatorMethods: readonly Method[] = [
  defineMethod({
    name: "ostrom_getValidators",
    summary:
      "The validator set of an epoch, by default of the one that the next block is of. null: it is not decided, or the chain has no validators.",
    parameters: [optional("epoch", countOrNumber, undefined)],
    returns:
      "null or {epoch, currentEpoch, firstBlock, lastBlock, decidedAtBlock, setHash, schemeId, validators: [{index, name, address, " +
      "weight, consensusKey, proofOfPossession, transportKey, host, port}]}",
    run: ({ backend }, epoch) => {
      const reads = backend.validators;
      if (reads === undefined) return null;
      return describeSet(reads, epoch ?? reads.currentEpoch());
    },
  }),
  defineMethod({
    name: "ostrom_getEvidence",
    summary: `What proves that validators contradicted themselves, oldest epoch first, at most ${MAX_EVIDENCE} pieces.`,
    parameters: [optional("fromEpoch", countOrNumber, 0)],
    returns: "[{epoch, validator, kind: votes | results, evidence}], evidence as core/consensus encodes it",
    run: ({ backend }, fromEpoch) =>
      (backend.validators?.evidence(fromEpoch, MAX_EVIDENCE) ?? []).map(
        ({ epoch, validator, kind, bytes }) => ({
          epoch: quantity(epoch),
          validator: quantity(validator),
          kind,
          evidence: toHex(bytes),
        }),
      ),
  }),
];

function describeSet(reads: ValidatorReads, epoch: number): JsonObject | null {
  const set = reads.set(epoch);
  if (set === undefined) return null;
  const { length, lead } = reads.epochs;
  return {
    epoch: quantity(epoch),
    currentEpoch: quantity(reads.currentEpoch()),
    firstBlock: quantity(epoch * length + 1),
    lastBlock: quantity((epoch + 1) * length),
    decidedAtBlock: quantity(Math.max(0, epoch * length - lead)),
    setHash: toHex(set.hash),
    schemeId: quantity(set.schemeId),
    validators: set.validators.map((validator, index) => ({
      index: quantity(index),
      name: validator.name,
      address: checksumAddress(validator.address),
      weight: quantity(validator.weight),
      consensusKey: toHex(validator.consensusKey),
      proofOfPossession: toHex(validator.proofOfPossession),
      transportKey: toHex(validator.transportKey),
      host: validator.host,
      port: quantity(validator.port),
    })),
  };
}
