import { type Address, type Bytes, EMPTY_BYTES, toHex, toHexDigits, utf8 } from "@ostrom/base";
import { addressOfSecretKey, type ModuleState, type Validator } from "@ostrom/execution";
import {
  type MemberNode,
  type Organisation,
  readNodes,
  readOpenProposals,
  readOrganisations,
  validatorSet,
} from "@ostrom/membership-chain";
import { contractCall, proposeCall } from "@ostrom/membership-service";
import type { ModuleCall } from "@ostrom/runtime";
import { candidateOf, clientKey } from "../genesis.ts";
import { between, pick, sample } from "../random.ts";
import { KEY_GENERATIONS } from "../registrar.ts";
import { provePossession, simulatedConsensusKey, verifyPossession } from "../signatures.ts";
import { adminKey, guestKey, strangerKey } from "./accounts.ts";
import type { Act, Scene, Script } from "./director.ts";
import { NODE_WEIGHT, ORGANISATION_LIMITS } from "./genesis.ts";
import { holderOf, identityOfTransport, type Seated, seatedOf } from "./members.ts";

const MAX_WEIGHT = 4;
const MAX_TITLE = 1_000_000_000;
const NO_ADDRESSES: readonly string[] = [];

/** Generation of the key that an identity used last, as far as this run has gone. */
export type KeyUse = Map<number, number>;

type Change = { readonly after: readonly Seated[]; readonly script: Script };

function addressText(key: Bytes): string {
  return toHex(addressOfSecretKey(key));
}

/** Whose organisation it is: organisations are named after the identity whose machine they run. */
function identityOf({ name }: Organisation): number | undefined {
  const identity = Number(name.split(" ")[1]);
  return Number.isSafeInteger(identity) ? identity : undefined;
}

function adminOf(scene: Scene, organisation: Organisation): Bytes {
  return adminKey(identityOf(organisation) ?? scene.participation.identities);
}

function active(state: ModuleState): readonly Organisation[] {
  return readOrganisations(state).filter(({ standing }) => standing === "active");
}

/** An organisation proposes, the others vote, and if there are enough votes somebody executes it. @param isWanted all vote for it. */
export function* decide(first: Scene, calls: readonly ModuleCall[], what: string, isWanted = false): Script {
  let scene = first;
  const { random } = scene;
  const members = active(scene.state);
  if (members.length === 0) return;
  const proposer = pick(random, members);
  const title = `${what} ${random.below(MAX_TITLE)}`;
  scene = yield [scene.send(adminOf(scene, proposer), proposeCall(calls, title), "proposal")];
  const found = readOpenProposals(scene.state, scene.height).find((one) => isTitled(one.title, title));
  if (found === undefined) return;
  const voters = active(scene.state).filter(({ id }) => id !== proposer.id);
  const votes = sample(random, voters, voters.length).flatMap((voter) => {
    if (!isWanted && random.chance(1, 8)) return [];
    const isFor = isWanted || !random.chance(1, 8);
    return [scene.send(adminOf(scene, voter), contractCall("vote", [found.id, isFor]), "vote")];
  });
  scene = yield votes;
  const open = readOpenProposals(scene.state, scene.height).find(({ id }) => id === found.id);
  if (open === undefined || active(scene.state).length === 0) return;
  const name = open.votes >= open.needed ? "execute" : "withdraw";
  const actor = name === "execute" ? pick(random, active(scene.state)) : proposer;
  const done = name === "execute" ? what : "proposal withdrawn";
  yield [scene.send(adminOf(scene, actor), contractCall(name, [found.id]), done)];
}

function isTitled(title: Bytes, text: string): boolean {
  return toHexDigits(title) === toHexDigits(utf8(text));
}

/** Those who validate as state is now, but for one identity. */
function without(state: ModuleState, identity: number): readonly Seated[] {
  return seats(state).filter((one) => one.identity !== identity);
}

/** Those whose keys are proved. */
function seats(state: ModuleState): readonly Seated[] {
  const validators = validatorSet(state)?.set.validators ?? [];
  return seatedOf(validators.filter((one) => verifyPossession(one.consensusKey, one.proofOfPossession)));
}

function nodeOf(state: ModuleState, identity: number): MemberNode | undefined {
  return readNodes(state).find(
    ({ role, transportKey }) => role === "validator" && identityOfTransport(transportKey) === identity,
  );
}

function keysOf(validator: Validator): Readonly<Record<string, unknown>> {
  const { address, weight, port, consensusKey, proofOfPossession, transportKey, name, host } = validator;
  return {
    account: toHex(address),
    weight: BigInt(weight),
    port,
    consensusKey: toHex(consensusKey),
    proofOfPossession: toHex(proofOfPossession),
    transportKey: toHex(transportKey),
    name,
    host,
  };
}

/** The members decide on what weight each has. */
function limits(weight: number): Readonly<Record<string, unknown>> {
  return { ...ORGANISATION_LIMITS, weight: BigInt(weight) };
}

/** A machine's node with the newest key that it has. */
function freshNode(identity: number, keys: KeyUse): Readonly<Record<string, unknown>> {
  const consensusKey = simulatedConsensusKey(identity, keys.get(identity) ?? 0);
  const proofOfPossession = provePossession(consensusKey);
  return keysOf({ ...candidateOf(identity, NODE_WEIGHT), consensusKey, proofOfPossession });
}

function* addNode(scene: Scene, organisation: Organisation, identity: number, keys: KeyUse): Script {
  const call = contractCall("addNode", [organisation.id, 1, freshNode(identity, keys), NO_ADDRESSES]);
  yield [scene.send(adminOf(scene, organisation), call, "node added")];
}

function* admit(scene: Scene, identity: number, weight: number, keys: KeyUse): Script {
  const name = `Organisation ${identity}`;
  const args = [name, addressText(adminKey(identity)), limits(weight), NO_ADDRESSES];
  yield* decide(scene, [contractCall("admit", args)], "member admitted");
  const later = yield [];
  const found = active(later.state).find((one) => identityOf(one) === identity);
  if (found === undefined) return;
  yield* addNode(later, found, identity, keys);
  const end = yield [];
  const guest = [found.id, addressText(guestKey(identity)), 1];
  yield [end.send(adminKey(identity), contractCall("setAccount", guest), "account changed")];
}

function weightFor(scene: Scene, identity: number): number {
  return scene.isFaulty(identity) ? 1 : between(scene.random, 1, MAX_WEIGHT);
}

const CHANGES: Readonly<Record<string, (scene: Scene, keys: KeyUse) => Change | undefined>> = {
  suspend: (scene) => {
    const organisation = pick(scene.random, active(scene.state));
    const identity = identityOf(organisation);
    if (identity === undefined) return undefined;
    const call = contractCall("suspend", [organisation.id]);
    return { after: without(scene.state, identity), script: decide(scene, [call], "member suspended") };
  },
  resume: (scene) => {
    const suspended = readOrganisations(scene.state).filter(({ standing }) => standing === "suspended");
    if (suspended.length === 0) return undefined;
    const organisation = pick(scene.random, suspended);
    const identity = identityOf(organisation) ?? -1;
    const hasNode = nodeOf(scene.state, identity) !== undefined;
    const { weight } = organisation.limits;
    const after = [...seats(scene.state), ...(hasNode ? [{ identity, weight }] : [])];
    return { after, script: decide(scene, [contractCall("resume", [organisation.id])], "member resumed") };
  },
  remove: (scene) => {
    const organisation = pick(scene.random, readOrganisations(scene.state));
    const identity = identityOf(organisation);
    if (identity === undefined || organisation.standing === "removed" || !scene.random.chance(1, 2))
      return undefined;
    const call = contractCall("remove", [organisation.id]);
    return { after: without(scene.state, identity), script: decide(scene, [call], "member removed") };
  },
  admit: (scene, keys) => {
    const members = readOrganisations(scene.state).filter(({ standing }) => standing !== "removed");
    const absent = Array.from({ length: scene.participation.identities }, (_, index) => index).filter(
      (identity) => !members.some((one) => identityOf(one) === identity),
    );
    if (absent.length === 0) return undefined;
    const identity = pick(scene.random, absent);
    const weight = weightFor(scene, identity);
    const after = [...seats(scene.state), { identity, weight }];
    return { after, script: admit(scene, identity, weight, keys) };
  },
  weigh: (scene) => {
    const organisation = pick(scene.random, active(scene.state));
    const identity = identityOf(organisation);
    if (identity === undefined) return undefined;
    const weight = weightFor(scene, identity);
    const call = contractCall("setLimits", [organisation.id, limits(weight)]);
    const others = without(scene.state, identity);
    const hasNode = nodeOf(scene.state, identity) !== undefined;
    const after = [...others, ...(hasNode ? [{ identity, weight }] : [])];
    return { after, script: decide(scene, [call], "member weighed") };
  },
  drop: (scene) => {
    const organisation = pick(scene.random, active(scene.state));
    const identity = identityOf(organisation);
    const node = identity === undefined ? undefined : nodeOf(scene.state, identity);
    if (identity === undefined || node === undefined) return undefined;
    const call = contractCall("removeNode", [node.id]);
    return { after: without(scene.state, identity), script: one(scene, organisation, call, "node removed") };
  },
  add: (scene, keys) => {
    const organisation = pick(scene.random, active(scene.state));
    const identity = identityOf(organisation);
    if (identity === undefined || nodeOf(scene.state, identity) !== undefined) return undefined;
    const after = [...seats(scene.state), { identity, weight: organisation.limits.weight }];
    return { after, script: addNode(scene, organisation, identity, keys) };
  },
  rotate: (scene, keys) => {
    const organisation = pick(scene.random, active(scene.state));
    const identity = identityOf(organisation);
    const node = identity === undefined ? undefined : nodeOf(scene.state, identity);
    const generation = identity === undefined ? 0 : (keys.get(identity) ?? 0) + 1;
    if (identity === undefined || node === undefined || generation >= KEY_GENERATIONS) return undefined;
    // Now and then somebody hands in a proof that is none: the next set is without that validator.
    const isProved = !scene.random.chance(1, 6);
    const key = simulatedConsensusKey(identity, generation);
    const proof = isProved ? provePossession(key) : provePossession(simulatedConsensusKey(identity, 0));
    const call = contractCall("setConsensusKey", [node.id, toHex(key), toHex(proof)]);
    keys.set(identity, generation);
    const others = without(scene.state, identity);
    const after = isProved ? [...others, { identity, weight: organisation.limits.weight }] : others;
    return { after, script: one(scene, organisation, call, isProved ? "key changed" : "key without proof") };
  },
};

function* one(scene: Scene, organisation: Organisation, call: ModuleCall, what: string): Script {
  yield [scene.send(adminOf(scene, organisation), call, what)];
}

function changeActs(keys: KeyUse): readonly Act[] {
  return Object.entries(CHANGES).map(([name, change]) => ({
    name,
    changesSet: true,
    begin: (scene) => {
      if (active(scene.state).length === 0) return undefined;
      const drawn = change(scene, keys);
      if (drawn === undefined) return undefined;
      // Who has handed in a key without proof is in no set, whatever its node's entry says.
      const isBearing = holderOf(scene.state) === "membership";
      return !isBearing || scene.isAcceptable(drawn.after) ? drawn.script : undefined;
    },
  }));
}

const TRANSFER: Address = addressOfSecretKey(clientKey(0));

/** Nobody waits for it: perhaps nobody lets the account send. */
function transfer(scene: Scene, key: Bytes, what: string): undefined {
  if (!scene.isBusy(key)) scene.send(key, { to: TRANSFER, data: EMPTY_BYTES, value: 1n }, what);
}

const SMALL_ACTS: readonly Act[] = [
  {
    name: "guest",
    changesSet: false,
    begin: (scene) =>
      transfer(scene, guestKey(scene.random.below(scene.participation.identities)), "transfer of a guest"),
  },
  {
    name: "stranger",
    changesSet: false,
    begin: (scene) => transfer(scene, strangerKey, "transfer of a stranger"),
  },
  {
    name: "account",
    changesSet: false,
    begin: (scene) => {
      const members = active(scene.state);
      const organisation = members.length === 0 ? undefined : pick(scene.random, members);
      const identity = organisation === undefined ? undefined : identityOf(organisation);
      if (organisation === undefined || identity === undefined) return undefined;
      const guest = guestKey(scene.random.below(scene.participation.identities));
      const args = [organisation.id, addressText(guest), scene.random.chance(1, 2) ? 1 : 0];
      return one(scene, organisation, contractCall("setAccount", args), "account changed");
    },
  },
  {
    name: "share",
    changesSet: false,
    begin: (scene) => {
      // What an organisation says of its own nodes changes nothing: it has one, and that has all of its weight.
      const members = active(scene.state);
      const organisation = members.length === 0 ? undefined : pick(scene.random, members);
      const node =
        organisation === undefined ? undefined : nodeOf(scene.state, identityOf(organisation) ?? -1);
      if (organisation === undefined || node === undefined) return undefined;
      const call = contractCall("setWeight", [node.id, BigInt(between(scene.random, 0, MAX_WEIGHT + 1))]);
      return one(scene, organisation, call, "share changed");
    },
  },
  {
    name: "rules",
    changesSet: false,
    begin: (scene) => {
      const { random, participation } = scene;
      const call = contractCall("setRules", [between(random, 51, 70), BigInt(participation.proposalBlocks)]);
      return decide(scene, [call], "rules changed");
    },
  },
];

/** What members and their administrators do. */
export function allianceActs(keys: KeyUse): readonly Act[] {
  const changes = changeActs(keys);
  return [...changes, ...changes, ...SMALL_ACTS];
}
