import { Weight } from "@ostrom/base";
import { SCHEME_BLS12381 } from "@ostrom/crypto";
import type { ModuleValidatorSet, Validator } from "@ostrom/execution";
import { COUNTERS, field, type MembershipState, readWord, SLOTS } from "./layout.ts";
import { type MemberNode, readNodesOf } from "./nodes.ts";
import { isActive, organisationIds, readLimits } from "./organisations.ts";

/** The alliance's validators: the nodes with that role of all organisations that are not suspended, in the order of their ids. Whose key is
 * not proved, whoever reads the set leaves out.
 *
 * Each organisation with a validator has the weight that the members gave it, whole; its nodes' own weights say how it is divided among
 * them. So nothing that an organisation does by itself changes what any has in consensus.
 * @returns undefined where the contract was never activated. */
export function validatorSet(state: MembershipState): ModuleValidatorSet | undefined {
  if (field(readWord(state, SLOTS.counters), COUNTERS.version) === 0) return undefined;
  const validators = organisationIds(state)
    .filter((id) => isActive(state, id))
    .flatMap((id) => divideWeight(validatorsOf(state, id), readLimits(state, id).weight))
    .sort((a, b) => a.node.id - b.node.id)
    .map(({ node, weight }) => describe(node, weight));
  return validators.length === 0 ? undefined : { set: { schemeId: SCHEME_BLS12381, validators } };
}

function validatorsOf(state: MembershipState, organisation: number): readonly MemberNode[] {
  return readNodesOf(state, organisation)
    .filter((node) => node.role === "validator")
    .sort((a, b) => a.id - b.id);
}

type Weighted = { readonly node: MemberNode; readonly weight: number };

/** In proportion to the nodes' weights, rounded down, at least 1; what is left over goes to the first.
 * @param weight of the organisation. */
function divideWeight(nodes: readonly MemberNode[], weight: number): readonly Weighted[] {
  const sum = nodes.reduce((total, node) => total + BigInt(node.weight), 0n);
  const shares = nodes.map((node) => Math.max(1, Number((BigInt(weight) * BigInt(node.weight)) / sum)));
  const left = Math.max(0, weight - shares.reduce((total, share) => total + share, 0));
  return nodes.map((node, index) => ({ node, weight: (shares[index] ?? 1) + (index === 0 ? left : 0) }));
}

function describe(node: MemberNode, weight: number): Validator {
  return {
    name: node.name,
    address: node.account,
    weight: Weight(weight),
    consensusKey: node.consensusKey,
    proofOfPossession: node.proofOfPossession,
    transportKey: node.transportKey,
    host: node.host,
    port: node.port,
  };
}
