import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, addressFromHex, toHexDigits } from "@ostrom/base";
import fc from "fast-check";
import { readAccounts, readOrganisationOfAdmin, readRoles } from "./accounts.ts";
import { readNodes } from "./nodes.ts";
import { readCertificates, readOrganisation, readRules } from "./organisations.ts";
import { permits } from "./permits.ts";
import { readProposal } from "./proposals.ts";
import { rolesToBits } from "./roles.ts";
import { callOf, consensusKey, filterAddress, transportKey, who } from "./testing/act-calls.ts";
import { certificate, testAlliance, testNode, testOrganisation } from "./testing/alliance.ts";
import type { ModelLimits, ModelState } from "./testing/membership-acts.ts";
import { MembershipLedger } from "./testing/membership-ledger.ts";
import { MembershipModel } from "./testing/membership-model.ts";
import { actsOf, FOUNDERS, PEOPLE, step } from "./testing/random-acts.ts";
import { validatorSet } from "./validators.ts";

/** The same acts each time, so that a change that breaks nothing here does not look broken; OSTROM_FUZZ_RUNS looks further with new ones. */
const LONG_RUNS = process.env["OSTROM_FUZZ_RUNS"];
const RUNS = Number(LONG_RUNS ?? 30);
const SEED = LONG_RUNS === undefined ? 5 : undefined;
const TARGET = addressFromHex("00000000000000000000000000000000000000aa");
const LIMITS: ModelLimits = { validators: 2, observers: 1, accounts: 2, weight: 4 };

/** Organisations 1 to 4, administered by persons 1 to 4; those up to `validators` have one, with the keys of their number. */
function founders(validators: number): {
  readonly model: MembershipModel;
  readonly ledger: MembershipLedger;
} {
  const ids = Array.from({ length: FOUNDERS }, (_, index) => index + 1);
  const validating = ids.slice(0, validators);
  const organisations = ids.map((id) =>
    testOrganisation(id, {
      admin: who(id),
      limits: LIMITS,
      nodes: validating
        .filter((other) => other === id)
        .map(() => testNode(`n${id}`, { consensusKey: consensusKey(id), transportKey: transportKey(id) })),
      accounts: [],
    }),
  );
  const state: ModelState = {
    threshold: 51,
    proposalBlocks: 12,
    owner: undefined,
    openToAll: false,
    organisations: [
      undefined,
      ...ids.map((id) => ({
        standing: "active" as const,
        admin: id,
        pending: undefined,
        limits: LIMITS,
        filter: [],
        certificates: [],
        accounts: new Map(),
      })),
    ],
    nodes: new Map(
      validating.map((id) => [
        id,
        { organisation: id, role: "validator", weight: 1, consensusKey: id, transportKey: id },
      ]),
    ),
    lastNode: validators,
    keyOwners: new Map(validating.flatMap((id) => [[`c${id}`, id] as const, [`t${id}`, id] as const])),
    proposals: [undefined],
  };
  const ledger = new MembershipLedger(testAlliance(0, { organisations, proposalBlocks: 12 }));
  return { model: new MembershipModel(state), ledger };
}

/** All that the readers tell, and what the model says it must be. */
function compare(model: MembershipModel, { state, ask }: Compared): void {
  const { state: wanted } = model;
  const rules = readRules(state);
  assert.deepEqual(
    [
      rules.thresholdPercent,
      rules.proposalBlocks,
      rules.openToAll,
      rules.activeOrganisations,
      rules.liveValidators,
    ],
    [
      wanted.threshold,
      wanted.proposalBlocks,
      wanted.openToAll,
      model.active().length,
      model.validators().length,
    ],
  );
  assert.deepEqual(rules.owner, wanted.owner === undefined ? undefined : who(wanted.owner));
  assert.equal(rules.lastOrganisation, wanted.organisations.length - 1);
  assert.ok(rules.liveValidators > 0, "the chain has a validator");
  wanted.organisations.forEach((organisation, id) => {
    if (organisation === undefined) return;
    const found = readOrganisation(state, id);
    const own = model.nodesOf(id);
    assert.deepEqual(
      [
        found?.standing,
        found?.admin,
        found?.pendingAdmin,
        found?.limits,
        found?.validators,
        found?.observers,
        found?.weight,
      ],
      [
        organisation.standing,
        organisation.admin === undefined ? undefined : who(organisation.admin),
        organisation.pending === undefined ? undefined : who(organisation.pending),
        // Generated records may be without a prototype.
        { ...organisation.limits },
        own.filter(({ role }) => role === "validator").length,
        own.filter(({ role }) => role === "observer").length,
        own.reduce((sum, { weight }) => sum + weight, 0),
      ],
    );
    assert.deepEqual(found?.filter, organisation.filter.map(filterAddress));
    const certificates = organisation.certificates.map((index) => certificate(String(index), 40));
    assert.deepEqual(
      readCertificates(state, id).map(toHexDigits).sort(),
      certificates.map(toHexDigits).sort(),
    );
    const accounts = readAccounts(state, id, 0, 10).map(
      ({ address, roles }) => `${toHexDigits(address)} ${rolesToBits(roles)}`,
    );
    assert.deepEqual(
      accounts.sort(),
      [...organisation.accounts].map(([account, roles]) => `${toHexDigits(who(account))} ${roles}`).sort(),
    );
  });
  compareNodes(model, state);
  for (let index = 0; index < PEOPLE; index++) {
    const sender = who(index);
    const may = (to: Address | undefined) => permits(state, { sender, to, value: 0n }) === undefined;
    assert.deepEqual(
      [may(TARGET), may(undefined)],
      [model.maySend(index), model.mayDeploy(index)],
      `person ${index}`,
    );
    assert.equal(rolesToBits(readRoles(state, sender)), model.roles(index));
    const organisation = readOrganisationOfAdmin(state, sender);
    assert.ok(organisation === undefined || wanted.organisations[organisation]?.admin === index);
  }
  wanted.proposals.forEach((proposal, id) => {
    if (proposal?.state !== "open") return;
    const found = readProposal(state, id);
    assert.deepEqual([found?.votes, found?.needed], model.tally(id));
    assert.deepEqual(ask("countVotes", id), model.tally(id).map(BigInt));
  });
}

type Compared = { readonly state: MembershipLedger["state"]; readonly ask: MembershipLedger["ask"] };

function compareNodes(model: MembershipModel, state: MembershipLedger["state"]): void {
  const nodes = readNodes(state);
  const wanted = [...model.state.nodes].sort(([a], [b]) => a - b);
  assert.deepEqual(
    nodes.map(({ id, organisation, role, weight, isActive }) => [id, organisation, role, weight, isActive]),
    wanted.map(([id, { organisation, role, weight }]) => [
      id,
      organisation,
      role,
      weight,
      model.isActive(organisation),
    ]),
  );
  nodes.forEach((node, index) => {
    const [, keys] = wanted[index] ?? [];
    assert.deepEqual(node.transportKey, transportKey(keys?.transportKey ?? -1));
    if (keys?.consensusKey !== undefined)
      assert.deepEqual(node.consensusKey, consensusKey(keys.consensusKey));
  });
  const keys = nodes
    .flatMap((node) => [node.transportKey, node.consensusKey])
    .filter(({ length }) => length > 0);
  assert.equal(new Set(keys.map(toHexDigits)).size, keys.length, "no key is two nodes'");
  const set = validatorSet(state)?.set.validators ?? [];
  assert.deepEqual(
    set.map(
      (validator) =>
        nodes.find(
          (node) =>
            node.consensusKey.every((byte, at) => byte === validator.consensusKey[at]) &&
            node.role === "validator",
        )?.id,
    ),
    model.validators(),
  );
  for (const organisation of model.active()) {
    const own = nodes.filter((node) => node.organisation === organisation && node.role === "validator");
    const names = new Set(own.map(({ transportKey: key }) => toHexDigits(key)));
    const members = set.filter(({ transportKey: key }) => names.has(toHexDigits(key)));
    const given = wantedWeight(model, organisation);
    const total = members.reduce((sum, { weight }) => sum + weight, 0);
    assert.ok(
      own.length === 0 || (total >= given && total <= Math.max(given, own.length + given)),
      "its weight, whole",
    );
  }
}

const wantedWeight = (model: MembershipModel, organisation: number): number =>
  model.state.organisations[organisation]?.limits.weight ?? 0;

const sequence = fc.array(step, { minLength: 30, maxLength: 90 });

test("the contract does what the model does, for thousands of random acts by random callers", (context) => {
  let acts = 0;
  let allowed = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: FOUNDERS }), sequence, (validators, steps) => {
      const { model, ledger } = founders(validators);
      for (const taken of steps) {
        if ("blocks" in taken) {
          model.height += taken.blocks;
          ledger.height += taken.blocks;
        }
        for (const { caller, act } of actsOf(taken, model)) {
          const expected = model.do(caller, act);
          const outcome = ledger.send(who(caller), ...callOf(act));
          assert.equal(outcome === "done", expected, `${JSON.stringify({ caller, act })}: ${outcome}`);
          acts++;
          if (expected) allowed++;
        }
        compare(model, { state: ledger.state, ask: (name, ...args) => ledger.ask(name, ...args) });
      }
    }),
    { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: SEED }) },
  );
  context.diagnostic(`${acts} acts, ${allowed} of them allowed`);
  assert.ok(allowed > acts / 4, `${allowed} of ${acts} acts were allowed: the acts must be worth something`);
});
