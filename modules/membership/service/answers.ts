import { toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { MemberNode, MembershipRules, Organisation, Proposal } from "@ostrom/membership-chain";
import { checksumAddress, type Json, quantity } from "@ostrom/runtime";
import { describeCall } from "./contract.ts";

// What the methods of this module answer; numbers as hex quantities, as everywhere in JSON-RPC.

export function rulesAnswer(rules: MembershipRules): Json {
  return {
    version: quantity(rules.version),
    owner: rules.owner === undefined ? null : checksumAddress(rules.owner),
    thresholdPercent: quantity(rules.thresholdPercent),
    proposalBlocks: quantity(rules.proposalBlocks),
    openToAll: rules.openToAll,
    activeOrganisations: quantity(rules.activeOrganisations),
    validators: quantity(rules.liveValidators),
    lastProposal: quantity(rules.lastProposal),
  };
}

export function organisationAnswer(organisation: Organisation): Json {
  const { limits } = organisation;
  return {
    id: quantity(organisation.id),
    name: organisation.name,
    standing: organisation.standing,
    admin: organisation.admin === undefined ? null : checksumAddress(organisation.admin),
    pendingAdmin: organisation.pendingAdmin === undefined ? null : checksumAddress(organisation.pendingAdmin),
    limits: {
      validators: quantity(limits.validators),
      observers: quantity(limits.observers),
      accounts: quantity(limits.accounts),
      weight: quantity(limits.weight),
    },
    validators: quantity(organisation.validators),
    observers: quantity(organisation.observers),
    accounts: quantity(organisation.accountCount),
    weight: quantity(organisation.weight),
    filter: organisation.filter.map(checksumAddress),
    certificates: organisation.certificates.map((der) => ({ hash: toHex(keccak256(der)), der: toHex(der) })),
    nodes: organisation.nodeIds.map(quantity),
  };
}

export function nodeAnswer(node: MemberNode): Json {
  return {
    id: quantity(node.id),
    organisation: quantity(node.organisation),
    isActive: node.isActive,
    role: node.role,
    name: node.name,
    account: checksumAddress(node.account),
    weight: quantity(node.weight),
    consensusKey: toHex(node.consensusKey),
    transportKey: toHex(node.transportKey),
    host: node.host,
    port: quantity(node.port),
    filter: node.filter === undefined ? null : node.filter.map(checksumAddress),
  };
}

const textDecoder = new TextDecoder();

export function proposalAnswer(proposal: Proposal): Json {
  return {
    id: quantity(proposal.id),
    organisation: quantity(proposal.organisation),
    state: proposal.state,
    title: textDecoder.decode(proposal.title),
    openedAtBlock: quantity(proposal.openedAt),
    lastBlock: quantity(proposal.expiresAt),
    votes: quantity(proposal.votes),
    needed: quantity(proposal.needed),
    supporters: proposal.supporters.map(quantity),
    calls: proposal.calls.map(({ target, value, data }) => ({
      target: checksumAddress(target),
      value: quantity(value),
      data: toHex(data),
      meaning: describeCall(target, value, data),
    })),
  };
}
