import { toHex } from "@ostrom/base";
import { keccak256, writeSigners } from "@ostrom/crypto";
import { readCommittee } from "./committee.ts";
import { MAX_CANDIDATES, MAX_COMMITTEE } from "./layout.ts";
import { beginStakingBlock } from "./participation.ts";
import { sealStakingEpoch } from "./seal-epoch.ts";
import { seatsOf } from "./sortition.ts";
import { stakingReader } from "./store.ts";
import { FAKE_PROOF, fakeEvidence, initialValidator, keyOf, person } from "./testing/played-keys.ts";
import { COIN, StakingChain } from "./testing/staking-chain.ts";

/** Prints one JSON line: what an epoch's end and a block cost with the most candidates and validators, on state in memory; and the gas of
 * what people send, with the precompiles' own. */
const chain = new StakingChain({
  settings: { maxValidators: MAX_COMMITTEE, expectedSeats: 4096 },
  initial: [0, 1].map((index) => initialValidator(index, 50n * COIN, true)),
});

function gasOf(act: () => string): number {
  const before = chain.gasUsed;
  const outcome = act();
  if (outcome !== "done") throw new Error(outcome);
  return Number(chain.gasUsed - before);
}

/** Of the processor: others may be at work on the machine. */
function microsecondsOf(act: () => void): number {
  const begun = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(begun);
  return user + system;
}

const gas: Record<string, number> = {};
for (let index = 2; index < MAX_CANDIDATES; index++) {
  const own = BigInt(10 + (index % 90)) * COIN;
  gas["register"] = gasOf(() => chain.register(index, own));
}
chain.fund(person(2000), 100n * COIN);
gas["delegate"] = gasOf(() => chain.send(person(2000), "delegate", [1n], 10n * COIN));
gas["undelegate"] = gasOf(() => chain.send(person(2000), "undelegate", [1n, 2n * COIN]));
chain.nextEpoch();
chain.nextEpoch();
gas["reveal"] = gasOf(() => chain.send(person(2000), "reveal", [1n, toHex(FAKE_PROOF)]));
chain.revealAll([1]);
while (!chain.isFrozenHeight) chain.block();

const seal = microsecondsOf(() => {
  chain.state.beginTransaction();
  sealStakingEpoch(chain.context(undefined), chain.epoch + 1);
  chain.state.endTransaction();
});
const seats = readCommittee(stakingReader(chain.state), chain.epoch + 1)?.members.length ?? 0;
const output = keccak256(new Uint8Array(32));
const smallDraw = microsecondsOf(() => {
  for (let i = 0; i < 100; i++) seatsOf(output, 1n, 1024n, 4096);
});
const largestDraw = microsecondsOf(() => {
  seatsOf(output, 1n, 1n, 4096);
});

for (let i = 0; i < 3; i++) {
  chain.revealAll();
  chain.nextEpoch();
}
const count = chain.validators.length;
const signers = writeSigners(
  count,
  Array.from({ length: count }, (_, index) => index),
);
const { epoch, height } = chain;
const rounds = 200;
const begin = microsecondsOf(() => {
  chain.state.beginTransaction();
  for (let i = 0; i < rounds; i++) {
    const certified = { epoch, height: height + i, signers };
    beginStakingBlock(chain.context({ epoch, view: i, proposer: i % count, certified }));
  }
  chain.state.endTransaction();
});
const evidence = [toHex(fakeEvidence(epoch)), toHex(keyOf("consensus", 5, 48))];
gas["report"] = gasOf(() => chain.send(person(2000), "report", evidence));
gas["claim"] = gasOf(() => chain.send(person(2000), "claim", [1n]));
gas["exit"] = gasOf(() => chain.send(person(7), "exit"));
process.stdout.write(
  `${JSON.stringify({
    candidates: MAX_CANDIDATES,
    committee: seats,
    sealMicroseconds: seal,
    beginBlockMicroseconds: Math.round(begin / rounds),
    validatorsCounted: count,
    smallDrawMicroseconds: smallDraw / 100,
    largestDrawMicroseconds: largestDraw,
    gas,
  })}\n`,
);
