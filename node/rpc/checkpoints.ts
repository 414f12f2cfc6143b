import { toHex } from "@ostrom/base";
import { encodeHeader } from "@ostrom/execution";
import { quantity } from "@ostrom/rpc-schema";
import { countOrNumber } from "./decode.ts";
import type { Json } from "./json.ts";
import { defineMethod, type Method, optional } from "./method.ts";

/** What certifies the history of a chain without elliptic curves. */
export const checkpointMethods: readonly Method[] = [
  defineMethod({
    name: "ostrom_getEpochCheckpoint",
    summary:
      "The checkpoint of an epoch, certified by post-quantum keys; by default the newest one. Where that epoch has none, says so: a later one may stand for it.",
    parameters: [optional("epoch", countOrNumber, undefined)],
    returns:
      "null (a chain without checkpoints, or none yet) or {epoch, newest, status: certified | missing | pending | undecided, set, weightWithKeys, " +
      "weightNeeded, certificate, nextSet, header, evidence}: certificate, sets and evidence as core/consensus encodes them, the header's RLP; null " +
      "where there is none",
    run: ({ backend }, asked): Json => {
      const checkpoints = backend.light?.checkpoints;
      const newest = checkpoints?.newest();
      const epoch = asked ?? newest;
      const found = epoch === undefined ? undefined : checkpoints?.of(epoch);
      if (epoch === undefined || found === undefined) return null;
      const header = found.height === undefined ? undefined : backend.chain.header(found.height)?.header;
      return {
        epoch: quantity(epoch),
        newest: newest === undefined ? null : quantity(newest),
        status: found.status,
        set: found.set === undefined ? null : toHex(found.set),
        weightWithKeys: quantity(found.weightWithKeys),
        weightNeeded: quantity(found.weightNeeded),
        certificate: found.certificate === undefined ? null : toHex(found.certificate),
        nextSet: found.nextSet === undefined ? null : toHex(found.nextSet),
        header: header === undefined ? null : toHex(encodeHeader(header)),
        evidence: found.evidence.map(toHex),
      };
    },
  }),
];
