import { type Address, toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { certificate, nodeArguments, testNode, testObserver } from "./alliance.ts";
import type { Act, Decision, ModelLimits, OwnAct } from "./membership-acts.ts";
import { bytesOf, type ContractCall, decided, person } from "./membership-ledger.ts";

// What the model's small numbers are for the contract.

export const who = (index: number): Address => person(`person ${index}`);
export const consensusKey = (index: number): Uint8Array => bytesOf(`consensus ${index}`, 48);
export const transportKey = (index: number): Uint8Array => bytesOf(`transport ${index}`, 32);
export const filterAddress = (index: number): Address => person(`filter ${index}`);

/** The same act as a call of the contract. */
export function callOf(act: Act): readonly [string, ...unknown[]] {
  switch (act.kind) {
    case "propose":
      return ["propose", "fuzz", act.decisions.map(contractDecision)];
    case "vote":
      return ["vote", act.proposal, act.isFor];
    case "execute":
    case "withdraw":
      return [act.kind, act.proposal];
    case "takeAdmin":
      return ["takeAdmin", act.organisation];
    case "direct":
      return decisionCall(act.decision);
    default:
      return ownCall(act);
  }
}

const contractDecision = (decision: Decision): ContractCall => decided(...decisionCall(decision));

function decisionCall(decision: Decision): readonly [string, ...unknown[]] {
  const limits = (value: ModelLimits) => ({ ...value, weight: BigInt(value.weight) });
  switch (decision.kind) {
    case "admit":
      return ["admit", "Newcomer", toHex(who(decision.admin)), limits(decision.limits), []];
    case "suspend":
    case "resume":
    case "remove":
      return [decision.kind, decision.organisation];
    case "setLimits":
      return ["setLimits", decision.organisation, limits(decision.limits)];
    case "setFilter":
      return [
        "setFilter",
        decision.organisation,
        decision.filter.map((index) => toHex(filterAddress(index))),
      ];
    case "setAdmin":
      return ["setAdmin", decision.organisation, toHex(who(decision.admin))];
    case "setRules":
      return ["setRules", decision.threshold, BigInt(decision.blocks)];
    case "setOpenToAll":
      return ["setOpenToAll", decision.isOpen];
    case "setOwner":
      return ["setOwner", decision.owner === undefined ? `0x${"00".repeat(20)}` : toHex(who(decision.owner))];
    case "own":
      return ownCall(decision.act);
    default:
      return decision satisfies never;
  }
}

function ownCall(act: OwnAct): readonly [string, ...unknown[]] {
  switch (act.kind) {
    case "addNode": {
      const keys = { transportKey: transportKey(act.transportKey) };
      const node =
        act.role === "validator"
          ? testNode("fuzz", { ...keys, weight: act.weight, consensusKey: consensusKey(act.consensusKey) })
          : { ...testObserver("fuzz"), ...keys };
      return ["addNode", ...nodeArguments(act.organisation, node)];
    }
    case "removeNode":
      return ["removeNode", act.node];
    case "setWeight":
      return ["setWeight", act.node, BigInt(act.weight)];
    case "setConsensusKey":
      return ["setConsensusKey", act.node, toHex(consensusKey(act.key)), toHex(bytesOf("proof", 96))];
    case "setTransportKey":
      return ["setTransportKey", act.node, toHex(transportKey(act.key))];
    case "setAccount":
      return ["setAccount", act.organisation, toHex(who(act.account)), act.roles];
    case "addCertificate":
      return ["addCertificate", act.organisation, toHex(certificate(String(act.certificate), 40))];
    case "removeCertificate":
      return [
        "removeCertificate",
        act.organisation,
        toHex(keccak256(certificate(String(act.certificate), 40))),
      ];
    case "offerAdmin":
      return ["offerAdmin", act.organisation, toHex(who(act.admin))];
    default:
      return act satisfies never;
  }
}
