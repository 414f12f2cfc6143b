import type { Address } from "@ostrom/base";
import { MEMBERSHIP_ADDRESS } from "@ostrom/execution";
import {
  type MembershipState,
  organisationIds,
  permits,
  readAccounts,
  readGrants,
  readNodes,
  readOpenProposals,
  readOrganisationOfAdmin,
  readOrganisations,
  readProposal,
  readRoles,
  readRules,
} from "@ostrom/membership-chain";
import {
  type BlockParameter,
  checksumAddress,
  defineModuleMethod,
  type Json,
  LATEST,
  type ModuleMethod,
  type ModuleReads,
  optional,
  parameterTypes,
  quantity,
  required,
  serverError,
} from "@ostrom/runtime";
import { readActs } from "./acts.ts";
import { nodeAnswer, organisationAnswer, proposalAnswer, rulesAnswer } from "./answers.ts";

/** Accounts in one answer. */
const MAX_ACCOUNTS_PAGE = 1_000;

/** Organisations in one answer, with all their nodes. */
const MAX_ORGANISATIONS_PAGE = 64;

const block = optional("block", parameterTypes.block, LATEST);

const from = optional("from", parameterTypes.count, 1);

function pageOf(state: MembershipState, first: number): readonly number[] {
  return organisationIds(state).filter((id) => id >= first && id < first + MAX_ORGANISATIONS_PAGE);
}

/** Asks the state after a block. Throws what JSON-RPC answers where membership was never activated. */
function ask(
  reads: ModuleReads,
  at: BlockParameter,
  use: (state: MembershipState, height: number) => Json,
): Json {
  return reads.withState(at, (state, height) => {
    if (readRules(state).version === 0)
      throw serverError("membership is not active on this chain, or was not at that block");
    return use(state, height);
  });
}

/** The methods `membership_...`: who is a member, who may do what, and what is being decided, as of any block whose state is kept. */
export const membershipMethods: readonly ModuleMethod[] = [
  defineModuleMethod({
    name: "membership_rules",
    summary: "how members decide, and whether everybody may send",
    parameters: [block],
    returns: "object",
    run: (reads, at) => ask(reads, at, (state) => rulesAnswer(readRules(state))),
  }),
  defineModuleMethod({
    name: "membership_organisations",
    summary: "the organisations that are or were members, from an id on",
    parameters: [block, from],
    returns: `list of organisations, by id, ${MAX_ORGANISATIONS_PAGE} at most`,
    run: (reads, at, first) =>
      ask(reads, at, (state) => readOrganisations(state, pageOf(state, first)).map(organisationAnswer)),
  }),
  defineModuleMethod({
    name: "membership_nodes",
    summary: "the nodes of organisations, suspended ones too, from the id of an organisation on",
    parameters: [block, from],
    returns: `list of the nodes of ${MAX_ORGANISATIONS_PAGE} organisations, by id`,
    run: (reads, at, first) =>
      ask(reads, at, (state) => readNodes(state, pageOf(state, first)).map(nodeAnswer)),
  }),
  defineModuleMethod({
    name: "membership_account",
    summary: "what an account may do, and who lets it",
    parameters: [required("address", parameterTypes.address), block],
    returns: "object",
    run: (reads, account, at) => ask(reads, at, (state) => accountAnswer(state, account)),
  }),
  defineModuleMethod({
    name: "membership_accounts",
    summary: "accounts of an organisation, from a place in its list on",
    parameters: [
      required("organisation", parameterTypes.count),
      optional("from", parameterTypes.count, 0),
      optional("limit", parameterTypes.count, MAX_ACCOUNTS_PAGE),
      block,
    ],
    returns: `list of accounts with their roles, ${MAX_ACCOUNTS_PAGE} at most`,
    run: (reads, organisation, from, limit, at) =>
      ask(reads, at, (state) =>
        readAccounts(state, organisation, from, Math.min(limit, MAX_ACCOUNTS_PAGE)).map(
          ({ address, roles }) => ({
            address: checksumAddress(address),
            roles: [...roles],
          }),
        ),
      ),
  }),
  defineModuleMethod({
    name: "membership_proposals",
    summary: "what can still be voted on",
    parameters: [block],
    returns: "list of proposals, by id",
    run: (reads, at) =>
      ask(reads, at, (state, height) => readOpenProposals(state, height).map(proposalAnswer)),
  }),
  defineModuleMethod({
    name: "membership_proposal",
    summary: "one proposal, whatever became of it",
    parameters: [required("id", parameterTypes.count), block],
    returns: "proposal, or null",
    run: (reads, id, at) =>
      ask(reads, at, (state) => {
        const proposal = readProposal(state, id);
        return proposal === undefined ? null : proposalAnswer(proposal);
      }),
  }),
  defineModuleMethod({
    name: "membership_acts",
    summary: "what members, administrators and the owner did in a period of blocks",
    parameters: [
      required("fromBlock", parameterTypes.block),
      optional("toBlock", parameterTypes.block, LATEST),
    ],
    returns: "list of acts, in their order",
    run: async (reads, fromBlock, toBlock) =>
      readActs(await reads.logs(MEMBERSHIP_ADDRESS, fromBlock, toBlock)),
  }),
];

const SOME_CONTRACT = new Uint8Array(20).fill(1) as Address;

function accountAnswer(state: MembershipState, account: Address): Json {
  const administered = readOrganisationOfAdmin(state, account);
  const may = (to: Address | undefined): boolean =>
    permits(state, { sender: account, to, value: 0n }) === undefined;
  return {
    address: checksumAddress(account),
    roles: [...readRoles(state, account)],
    adminOf: administered === undefined ? null : quantity(administered),
    maySend: may(SOME_CONTRACT),
    mayDeploy: may(undefined),
    grants: readGrants(state, account).map(({ organisation, roles, isActive }) => ({
      organisation: quantity(organisation),
      roles: [...roles],
      isActive,
    })),
  };
}
