import fc from "fast-check";
import type { Act, Decision, ModelLimits, OwnAct } from "./membership-acts.ts";
import type { MembershipModel } from "./membership-model.ts";

export const FOUNDERS = 4;
export const PEOPLE = 9;
const KEYS = 7;

const small = fc.nat(7);
const personIndex = fc.nat(PEOPLE - 1);
const organisationId = fc.nat(FOUNDERS + 2);
const limits: fc.Arbitrary<ModelLimits> = fc.record({
  validators: fc.nat(2),
  observers: fc.nat(2),
  accounts: fc.nat(2),
  weight: fc.nat(5),
});

const ownAct: fc.Arbitrary<OwnAct> = fc.oneof(
  fc.record({
    kind: fc.constant("addNode" as const),
    organisation: organisationId,
    role: fc.constantFrom("validator" as const, "observer" as const),
    weight: fc.nat(3),
    consensusKey: fc.nat(KEYS),
    transportKey: fc.nat(KEYS),
  }),
  fc.record({ kind: fc.constant("removeNode" as const), node: small }),
  fc.record({ kind: fc.constant("setWeight" as const), node: small, weight: fc.nat(5) }),
  fc.record({
    kind: fc.constantFrom("setConsensusKey" as const, "setTransportKey" as const),
    node: small,
    key: fc.nat(KEYS),
  }),
  fc.record({
    kind: fc.constant("setAccount" as const),
    organisation: organisationId,
    account: personIndex,
    roles: fc.nat(16),
  }),
  fc.record({
    kind: fc.constantFrom("addCertificate" as const, "removeCertificate" as const),
    organisation: organisationId,
    certificate: fc.nat(3),
  }),
  fc.record({ kind: fc.constant("offerAdmin" as const), organisation: organisationId, admin: personIndex }),
);

const decision: fc.Arbitrary<Decision> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("admit" as const), admin: personIndex, limits }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("suspend" as const, "resume" as const, "remove" as const),
      organisation: organisationId,
    }),
  },
  fc.record({ kind: fc.constant("setLimits" as const), organisation: organisationId, limits }),
  fc.record({
    kind: fc.constant("setFilter" as const),
    organisation: organisationId,
    filter: fc.array(fc.nat(3), { maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant("setAdmin" as const), organisation: organisationId, admin: personIndex }),
  fc.record({
    kind: fc.constant("setRules" as const),
    threshold: fc.constantFrom(40, 51, 60, 75, 100),
    blocks: fc.constantFrom(5, 10, 20),
  }),
  fc.record({ kind: fc.constant("setOpenToAll" as const), isOpen: fc.boolean() }),
  fc.record({ kind: fc.constant("setOwner" as const), owner: fc.option(personIndex, { nil: undefined }) }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("own" as const), act: ownAct }) },
);

export type Step =
  /** `isMeant`: by whoever might be allowed to; else by anybody. */
  | { readonly caller: number; readonly isMeant: boolean; readonly act: Act }
  /** Some of the admins decide something together. */
  | { readonly campaign: readonly number[]; readonly decisions: Decision[] }
  | { readonly blocks: number };

const decisions = fc.array(decision, { minLength: 1, maxLength: 2 });
/** Counted back from the newest, so that most are open. */
const recentProposal = fc.nat(5);

/** What happens next: somebody tries something, some decide something together, or blocks pass. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ caller: personIndex, isMeant: fc.boolean(), act: ownAct }) },
  {
    weight: 4,
    arbitrary: fc.record({
      caller: personIndex,
      isMeant: fc.boolean(),
      act: fc.oneof(
        fc.record({ kind: fc.constant("propose" as const), decisions }),
        fc.record({ kind: fc.constant("vote" as const), proposal: recentProposal, isFor: fc.boolean() }),
        fc.record({
          kind: fc.constantFrom("execute" as const, "withdraw" as const),
          proposal: recentProposal,
        }),
        fc.record({ kind: fc.constant("takeAdmin" as const), organisation: organisationId }),
        fc.record({ kind: fc.constant("direct" as const), decision }),
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      campaign: fc.uniqueArray(fc.nat(FOUNDERS + 2), { minLength: 2, maxLength: 6 }),
      decisions,
    }),
  },
  { weight: 1, arbitrary: fc.record({ blocks: fc.integer({ min: 1, max: 14 }) }) },
);

type Attempt = { readonly caller: number; readonly act: Act };

/** A step as acts: a campaign is a proposal, votes for it, its execution, and a second one. */
export function actsOf(taken: Step, model: MembershipModel): readonly Attempt[] {
  if ("blocks" in taken) return [];
  const { organisations, owner, proposals } = model.state;
  const adminOf = (organisation: number): number | undefined => organisations[organisation]?.admin;
  if ("act" in taken) {
    const act =
      "proposal" in taken.act
        ? { ...taken.act, proposal: Math.max(0, proposals.length - 1 - taken.act.proposal) }
        : taken.act;
    return [{ act, caller: (taken.isMeant ? meantCaller(act, model) : undefined) ?? taken.caller }];
  }
  const [proposer = 0, ...others] = taken.campaign.flatMap((organisation) => adminOf(organisation) ?? []);
  const proposal = proposals.length;
  const execution: Attempt = { caller: others[0] ?? proposer, act: { kind: "execute", proposal } };
  return [
    { caller: owner ?? proposer, act: { kind: "propose", decisions: taken.decisions } },
    ...others.map((caller): Attempt => ({ caller, act: { kind: "vote", proposal, isFor: true } })),
    execution,
    execution,
  ];
}

/** Who may do it, if anybody may. */
function meantCaller(act: Act, { state }: MembershipModel): number | undefined {
  const { organisations, nodes, proposals, owner } = state;
  if (act.kind === "propose" && owner !== undefined) return owner;
  if (act.kind === "takeAdmin") return organisations[act.organisation]?.pending;
  if ("organisation" in act) return organisations[act.organisation]?.admin;
  if ("node" in act) return organisations[nodes.get(act.node)?.organisation ?? 0]?.admin;
  if (act.kind === "withdraw") return organisations[proposals[act.proposal]?.organisation ?? 0]?.admin;
  return undefined;
}
