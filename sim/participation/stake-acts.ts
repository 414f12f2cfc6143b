import { type Bytes, Epoch, Hash, toHex, View } from "@ostrom/base";
import { encodeEvidence, type SignedVote, ValidatorIndex } from "@ostrom/consensus";
import { addressOfSecretKey } from "@ostrom/execution";
import {
  consentMessage,
  readDelegation,
  readReportsDue,
  readStakingState,
  readUnbondings,
  type StakerState,
} from "@ostrom/staking-chain";
import { stakingCall } from "@ostrom/staking-service";
import { candidateOf, feeRecipientKey, SIMULATED_CHAIN_ID } from "../genesis.ts";
import { between, pick } from "../random.ts";
import { KEY_GENERATIONS } from "../registrar.ts";
import { provePossession, simulatedConsensusKey, simulatedSign } from "../signatures.ts";
import { delegatorKey, operatorOf, vrfKeyOf } from "./accounts.ts";
import type { KeyUse } from "./alliance-acts.ts";
import { type Act, type Scene, type Script, until } from "./director.ts";
import { COIN, DELEGATORS, STAKE_OF_A_WEIGHT } from "./genesis.ts";
import { allStakers, identityOfTransport, stands } from "./members.ts";

/** Faulty validators have no more than one of so many parts of what the others have at least: then they stay below a third of every set,
 * whoever fails to reveal. */
const HONEST_FOR_EACH_FAULTY = 4n;
const HONEST_WEIGHT = 4;
const FAULTY_WEIGHT = 2;
const MAX_COINS = 60;
const NO_DISPLACED = 0n;
const VANISH_TURNS = 200;
const DIGEST_BYTES = 32;

type Staked = { readonly identity: number; readonly staker: StakerState };

function stakedOf(scene: Scene): readonly Staked[] {
  return allStakers(scene.state).map((staker) => ({
    identity: identityOfTransport(staker.transportKey) ?? -1,
    staker,
  }));
}

function standing(scene: Scene): readonly Staked[] {
  return stakedOf(scene).filter(({ staker }) => stands(staker));
}

/** What sets may count of a staker at least, now and in the next epochs: newcomers count from their first snapshot on. */
function leastOf({ bonded, stakeInRound }: StakerState): bigint {
  return stakeInRound < bonded ? stakeInRound : bonded;
}

/** Whether stake may change so: `more` for a staker (negative: less). */
function mayChange(scene: Scene, identity: number, more: bigint): boolean {
  let [honest, faulty] = [0n, 0n];
  for (const { identity: other, staker } of standing(scene)) {
    const change = other === identity ? more : 0n;
    if (scene.isFaulty(other)) faulty += staker.bonded + (change > 0n ? change : 0n);
    else honest += leastOf(staker) + (change < 0n ? change : 0n);
  }
  return faulty * HONEST_FOR_EACH_FAULTY <= honest;
}

function coins(scene: Scene): bigint {
  return BigInt(between(scene.random, 1, MAX_COINS)) * COIN + BigInt(scene.random.below(1_000_000));
}

export function stakeFor(scene: Scene, identity: number): bigint {
  return BigInt(scene.isFaulty(identity) ? FAULTY_WEIGHT : HONEST_WEIGHT) * STAKE_OF_A_WEIGHT;
}

/** Nobody waits for it: accounts send one transaction after another anyway. */
function send(
  scene: Scene,
  key: Bytes,
  what: string,
  name: string,
  args: readonly unknown[],
  value = 0n,
): undefined {
  scene.send(key, stakingCall(name, args, value), what);
}

/** What an identity hands in to become a validator. */
export function registration(
  scene: Scene,
  identity: number,
  generation: number,
): Readonly<Record<string, unknown>> {
  const { transportKey, name, host, port } = candidateOf(identity, 1);
  const consensusKey = simulatedConsensusKey(identity, generation);
  return {
    consensusKey: toHex(consensusKey),
    proofOfPossession: toHex(provePossession(consensusKey)),
    transportKey: toHex(transportKey),
    vrfKey: toHex(vrfKeyOf(identity).publicKey),
    consent: toHex(consentOf(consensusKey, identity)),
    name,
    host,
    port,
    commission: between(scene.random, 0, 500),
  };
}

function consentOf(consensusKey: Bytes, identity: number): Bytes {
  return simulatedSign(consensusKey, consentMessage(SIMULATED_CHAIN_ID, operatorOf(identity)));
}

type Draw = (scene: Scene, keys: KeyUse) => Script | undefined;

const register: Draw = (scene, keys) => {
  const staked = new Set(stakedOf(scene).map(({ identity }) => identity));
  const absent = Array.from({ length: scene.participation.identities }, (_, index) => index).filter(
    (identity) => !staked.has(identity) && !scene.isBusy(feeRecipientKey(identity)),
  );
  if (absent.length === 0) return undefined;
  const identity = pick(scene.random, absent);
  const args = [registration(scene, identity, keys.get(identity) ?? 0), NO_DISPLACED];
  return send(scene, feeRecipientKey(identity), "bonded", "register", args, stakeFor(scene, identity));
};

const addStake: Draw = (scene) => {
  const chosen = pickStanding(scene);
  const amount = coins(scene);
  if (chosen === undefined || !mayChange(scene, chosen.identity, amount)) return undefined;
  return send(scene, feeRecipientKey(chosen.identity), "stake added", "addStake", [], amount);
};

const delegate: Draw = (scene) => {
  const chosen = pickStanding(scene);
  const amount = coins(scene);
  const key = delegatorKey(scene.random.below(DELEGATORS));
  if (chosen === undefined || scene.isBusy(key) || !mayChange(scene, chosen.identity, amount))
    return undefined;
  return send(scene, key, "delegated", "delegate", [BigInt(chosen.staker.id)], amount);
};

const undelegate: Draw = (scene) => {
  const { random, state } = scene;
  const staked = stakedOf(scene);
  if (staked.length === 0) return undefined;
  const chosen = pick(random, staked);
  const isOperator = random.chance(1, 4);
  const key = isOperator ? feeRecipientKey(chosen.identity) : delegatorKey(random.below(DELEGATORS));
  const held = readDelegation(state, chosen.staker.id, addressOfSecretKey(key))?.amount ?? 0n;
  if (held === 0n || scene.isBusy(key)) return undefined;
  const amount = isOperator || random.chance(1, 2) ? held / BigInt(between(random, 3, 9)) : held;
  if (amount === 0n || !mayChange(scene, chosen.identity, -amount)) return undefined;
  return send(scene, key, "undelegated", "undelegate", [BigInt(chosen.staker.id), amount]);
};

const withdraw: Draw = (scene) => {
  const { random, participation } = scene;
  const isOperator = random.chance(1, 2);
  const key = isOperator
    ? feeRecipientKey(random.below(participation.identities))
    : delegatorKey(random.below(DELEGATORS));
  const queue = readUnbondings(scene.state, addressOfSecretKey(key));
  const epoch = readStakingState(scene.state)?.epoch ?? 0;
  const isPayable = queue.some(
    ({ payableFromEpoch }) => payableFromEpoch !== undefined && payableFromEpoch <= epoch,
  );
  // Now and then too early: then nothing may be paid.
  if (queue.length === 0 || scene.isBusy(key) || !(isPayable || random.chance(1, 8))) return undefined;
  return send(scene, key, isPayable ? "withdrawn" : "withdrawn too early", "withdraw", []);
};

const claim: Draw = (scene) => {
  const staked = stakedOf(scene);
  if (staked.length === 0) return undefined;
  const { identity, staker } = pick(scene.random, staked);
  const isOperator = scene.random.chance(1, 2);
  const key = isOperator ? feeRecipientKey(identity) : delegatorKey(scene.random.below(DELEGATORS));
  const due = readDelegation(scene.state, staker.id, addressOfSecretKey(key))?.due ?? 0n;
  if (due === 0n || scene.isBusy(key)) return undefined;
  return send(scene, key, "claimed", "claim", [BigInt(staker.id)]);
};

const claimReports: Draw = (scene) => {
  const key = feeRecipientKey(scene.random.below(scene.participation.identities));
  if (scene.isBusy(key) || readReportsDue(scene.state, addressOfSecretKey(key)) === 0n) return undefined;
  return send(scene, key, "report paid", "claimReports", []);
};

const setCommission: Draw = (scene) => {
  const chosen = pickStanding(scene);
  if (chosen === undefined) return undefined;
  const most = Math.min(5_000, chosen.staker.commission + 100);
  const args = [between(scene.random, 0, most)];
  return send(scene, feeRecipientKey(chosen.identity), "commission changed", "setCommission", args);
};

const rotate: Draw = (scene, keys) => {
  const chosen = pickStanding(scene);
  const generation = chosen === undefined ? 0 : (keys.get(chosen.identity) ?? 0) + 1;
  if (chosen === undefined || generation >= KEY_GENERATIONS) return undefined;
  const { identity } = chosen;
  keys.set(identity, generation);
  const key = simulatedConsensusKey(identity, generation);
  const args = [toHex(key), toHex(provePossession(key)), toHex(consentOf(key, identity))];
  return send(scene, feeRecipientKey(identity), "staker's key changed", "rotateConsensusKey", args);
};

const unjail: Draw = (scene) => {
  const epoch = readStakingState(scene.state)?.epoch ?? 0;
  const jailed = stakedOf(scene).filter(
    ({ identity, staker }) =>
      staker.isJailed &&
      !staker.isTombstoned &&
      !staker.hasExited &&
      !scene.isBusy(feeRecipientKey(identity)) &&
      (staker.jailedUntil <= epoch || scene.random.chance(1, 20)),
  );
  if (jailed.length === 0) return undefined;
  const { identity, staker } = pick(scene.random, jailed);
  const what = staker.jailedUntil <= epoch ? "unjailed" : "unjailed too early";
  return send(scene, feeRecipientKey(identity), what, "unjail", []);
};

const exit: Draw = (scene) => {
  const chosen = pickStanding(scene);
  const { random, participation } = scene;
  if (chosen === undefined || !random.chance(1, 12)) return undefined;
  const left = standing(scene).filter(({ identity }) => identity !== chosen.identity);
  const isEnough = left.length >= participation.weights.length;
  if (!isEnough || !mayChange(scene, chosen.identity, -chosen.staker.bonded)) return undefined;
  return send(scene, feeRecipientKey(chosen.identity), "exited", "exit", []);
};

/** Somebody accuses a validator of what it has not said: signed by nobody, or said once. */
const accuse: Draw = (scene) => {
  const chosen = pickStanding(scene);
  const key = delegatorKey(scene.random.below(DELEGATORS));
  if (chosen === undefined || scene.isBusy(key) || !scene.random.chance(1, 3)) return undefined;
  const { consensusKey } = chosen.staker;
  const epoch = readStakingState(scene.state)?.epoch ?? 0;
  const args = [toHex(falseEvidence(scene, consensusKey, epoch)), toHex(consensusKey)];
  return send(scene, key, "false report", "report", args);
};

function falseEvidence(scene: Scene, consensusKey: Bytes, epoch: number): Bytes {
  const { random } = scene;
  const statement = (digest: Hash): SignedVote => ({
    vote: { kind: "notarize", epoch: Epoch(epoch), view: View(between(random, 1, 40)), digest },
    signer: ValidatorIndex(0),
    signature: simulatedSign(consensusKey, random.bytes(DIGEST_BYTES)),
  });
  const first = statement(Hash(random.bytes(DIGEST_BYTES)));
  const isRepeated = random.chance(1, 4);
  const other = statement(Hash(random.bytes(DIGEST_BYTES)));
  const second = isRepeated ? first : { ...other, vote: { ...other.vote, view: first.vote.view } };
  return encodeEvidence({ kind: "votes", validator: ValidatorIndex(0), first, second });
}

/** A validator's machine is off until it is jailed, or for long. */
const vanish: Draw = (scene) => {
  const chosen = pickStanding(scene);
  if (chosen === undefined || !scene.random.chance(1, 10)) return undefined;
  if (scene.machines.some(({ isHeldOff }) => isHeldOff)) return undefined;
  if (!mayChange(scene, chosen.identity, -chosen.staker.bonded)) return undefined;
  return stayAway(scene, chosen.identity, chosen.staker.id);
};

function* stayAway(scene: Scene, identity: number, id: number): Script {
  const machine = scene.machines[identity];
  if (machine === undefined) return;
  machine.holdOff();
  scene.strike("vanished");
  const isJailed = ({ state }: Scene): boolean => allStakers(state)[id - 1]?.isJailed === true;
  const end = yield* until((later) => isJailed(later) || !machine.isHeldOff, VANISH_TURNS);
  if (end !== undefined && isJailed(end)) scene.strike("jailed");
  machine.release();
}

function pickStanding(scene: Scene): Staked | undefined {
  const free = standing(scene).filter(({ identity }) => !scene.isBusy(feeRecipientKey(identity)));
  return free.length === 0 ? undefined : pick(scene.random, free);
}

const DRAWS: readonly (readonly [string, Draw])[] = Object.entries({
  register,
  registerToo: register,
  addStake,
  delegate,
  delegateToo: delegate,
  undelegate,
  undelegateToo: undelegate,
  withdraw,
  claim,
  claimReports,
  setCommission,
  rotate,
  unjail,
  exit,
  accuse,
  vanish,
});

/** What holders of stake do. Each is one transaction, so what they may do is judged by state as it is. */
export function stakeActs(keys: KeyUse): readonly Act[] {
  return DRAWS.map(([name, draw]) => ({
    name,
    changesSet: false,
    begin: (scene) => (readStakingState(scene.state) === undefined ? undefined : draw(scene, keys)),
  }));
}
