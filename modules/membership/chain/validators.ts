import { type Bytes, equalBytes, Weight } from "@ostrom/base";
import { SCHEME_BLS12381, validatorSchemeOfKey } from "@ostrom/crypto";
import type { ModuleValidatorSet, Validator, ValidatorSet } from "@ostrom/execution";
import { COUNTERS, field, type MembershipState, readWord, SLOTS } from "./layout.ts";
import { type MemberNode, readNodesOf } from "./nodes.ts";
import { isActive, organisationIds, readLimits } from "./organisations.ts";

/** The alliance's validators: the nodes with that role of all organisations that are not suspended, in the order of their ids. Whose key is
 * not proved, whoever reads the set leaves out.
 *
 * Each organisation with a validator has the weight that the members gave it, whole; its nodes' own weights say how it is divided among
 * them. So nothing that an organisation does by itself changes what any has in consensus.
 *
 * They vote by the scheme that all their keys are of. Where these are of several, the set's scheme stays as it is, and who has handed in a key of
 * another one goes on with the key that the current set has: with the last node's new key, all change together, at the next epoch's boundary.
 * @param current the set in force; its transport keys tell which kind the chain's links are of.
 * @returns undefined where the contract was never activated. */
export function validatorSet(state: MembershipState, current?: ValidatorSet): ModuleValidatorSet | undefined {
  if (field(readWord(state, SLOTS.counters), COUNTERS.version) === 0) return undefined;
  const organisations = organisationIds(state)
    .filter((id) => isActive(state, id))
    .map((id) => ({ id, nodes: validatorsOf(state, id).filter((node) => isOfKind(node, current)) }));
  const schemeId = schemeOf(
    organisations.flatMap(({ nodes }) => nodes),
    current,
  );
  const validators = organisations
    .flatMap(({ id, nodes }) =>
      divideWeight(
        nodes.map((node) => withKeyOf(schemeId, node, current)).filter((node) => node !== undefined),
        readLimits(state, id).weight,
      ),
    )
    .sort((a, b) => a.node.id - b.node.id)
    .map(({ node, weight }) => describe(node, weight));
  return validators.length === 0 ? undefined : { set: { schemeId, validators } };
}

function schemeOfKey(key: Bytes): number | undefined {
  return validatorSchemeOfKey(key)?.id;
}

/** One node's transport key of another kind must not spoil the whole set. */
function isOfKind({ transportKey }: MemberNode, current: ValidatorSet | undefined): boolean {
  const [validator] = current?.validators ?? [];
  return validator === undefined || validator.transportKey.length === transportKey.length;
}

function schemeOf(nodes: readonly MemberNode[], current: ValidatorSet | undefined): number {
  const schemes = new Set(nodes.map(({ consensusKey }) => schemeOfKey(consensusKey)));
  const [only] = schemes;
  return (schemes.size === 1 ? only : undefined) ?? current?.schemeId ?? SCHEME_BLS12381;
}

/** A node with its key of this scheme, or with that of the current set. */
function withKeyOf(
  schemeId: number,
  node: MemberNode,
  current: ValidatorSet | undefined,
): MemberNode | undefined {
  if (schemeOfKey(node.consensusKey) === schemeId) return node;
  const before = current?.validators.find(({ transportKey }) => equalBytes(transportKey, node.transportKey));
  if (before === undefined || current?.schemeId !== schemeId) return undefined;
  return { ...node, consensusKey: before.consensusKey, proofOfPossession: before.proofOfPossession };
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
