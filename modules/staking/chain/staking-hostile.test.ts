import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, addressFromWord, concatBytes, fromHex, hex, toHex, unwrap } from "@ostrom/base";
import { STAKING_ADDRESS } from "@ostrom/execution";
import { encodeFunctionData } from "viem";
import { readStakingState } from "./staking-views.ts";
import { fakeEvidence, initialValidator, keyOf, person } from "./testing/played-keys.ts";
import { ABI, COIN, StakingChain } from "./testing/staking-chain.ts";

const OPERATORS = [0, 1, 2, 3];
const ATTACKER: Address = addressFromWord(0xbadn);
const REPORTER = person(60);

function fourStakers(): StakingChain {
  return new StakingChain({ initial: OPERATORS.map((index) => initialValidator(index, 100n * COIN, false)) });
}

function epochs(chain: StakingChain, count: number): void {
  for (let i = 0; i < count; i++) {
    chain.revealAll();
    chain.nextEpoch();
  }
}

function callData(functionName: string, args: readonly unknown[] = []): Uint8Array {
  return unwrap(fromHex(encodeFunctionData({ abi: ABI, functionName, args })));
}

/** A contract that passes on what it is called with, and asks for `again` whenever it is paid. */
function contractThatComesBack(again: Uint8Array): Uint8Array {
  const staking = concatBytes(hex("73"), STAKING_ADDRESS);
  // CALLDATACOPY(0, 0, size); CALL(gas, staking, value, 0, size, 0, 0); revert if it failed.
  const passOn = concatBytes(hex("365f5f37" + "5f5f365f34"), staking, hex("5af1"), hex("15"));
  // MSTORE(0, again); CALL(gas, staking, 0, 0, length, 0, 0); whatever comes of it.
  const word = concatBytes(again, new Uint8Array(32 - again.length));
  const comeBack = concatBytes(
    hex("7f"),
    word,
    hex("5f52" + "5f5f"),
    Uint8Array.of(0x60, again.length),
    hex("5f5f"),
    staking,
    hex("5af15000"),
  );
  // CALLDATASIZE ISZERO PUSH1 x JUMPI
  const paidAt = 5 + passOn.length + 4;
  const revertAt = paidAt + 1 + comeBack.length;
  return concatBytes(
    Uint8Array.of(0x36, 0x15, 0x60, paidAt, 0x57),
    passOn,
    Uint8Array.of(0x60, revertAt, 0x57, 0x00),
    hex("5b"),
    comeBack,
    hex("5b5f5ffd"),
  );
}

test("a contract that comes back while it is paid gets nothing twice", () => {
  const chain = fourStakers();
  const attacker = { index: 70, address: ATTACKER };
  const place = (again: Uint8Array): void => {
    chain.state.beginTransaction();
    chain.state.setCode(ATTACKER, contractThatComesBack(again));
    chain.state.endTransaction();
  };
  place(callData("withdraw"));
  const act = (functionName: string, args: readonly unknown[] = [], value = 0n): string => {
    chain.fund(person(71), value);
    return chain.sendTo(ATTACKER, person(71), functionName, args, value);
  };
  assert.equal(act("delegate", [1n], 10n * COIN), "done");
  assert.equal(act("delegate", [2n], 10n * COIN), "done");
  epochs(chain, 1);
  assert.equal(act("undelegate", [1n, 10n * COIN]), "done");
  epochs(chain, 1);
  assert.equal(act("undelegate", [2n, 10n * COIN]), "done");
  epochs(chain, 3);
  assert.equal(act("withdraw"), "done");
  assert.equal(chain.balance(attacker), 10n * COIN, "the other waits still");
  epochs(chain, 1);
  const [, due] = chain.ask("delegationOf", [1n, toHex(ATTACKER)]) as readonly bigint[];
  assert.ok(due! > 0n);
  // While it is paid its rewards, it takes what it may take anyway, once.
  assert.equal(act("claim", [1n]), "done");
  assert.equal(chain.balance(attacker), 20n * COIN + due!);
  assert.equal(act("withdraw"), "failed");
  const { bonded, unbonding, unclaimed, burned } = readStakingState(chain.state)!;
  assert.equal(chain.held(), bonded + unbonding + unclaimed + burned);
});

test("a contract that cannot be paid keeps its claim, and nobody else waits for it", () => {
  const chain = fourStakers();
  chain.state.beginTransaction();
  // It passes on what it is called with; paid, it stops at an invalid instruction.
  const code = contractThatComesBack(callData("withdraw"));
  code[code.indexOf(0x5b) + 1] = 0xfe;
  chain.state.setCode(ATTACKER, code);
  chain.state.endTransaction();
  chain.fund(person(71), 10n * COIN);
  assert.equal(chain.sendTo(ATTACKER, person(71), "delegate", [1n], 10n * COIN), "done");
  assert.equal(chain.sendTo(ATTACKER, person(71), "undelegate", [1n, 10n * COIN]), "done");
  chain.send(person(1), "undelegate", [2n, COIN]);
  epochs(chain, 4);
  assert.equal(chain.sendTo(ATTACKER, person(71), "withdraw"), "failed");
  assert.equal(chain.send(person(1), "withdraw"), "done");
  assert.equal(readStakingState(chain.state)!.unbonding, 10n * COIN);
});

test("what acts cost does not depend on how many have delegated, so that dust hurts nobody", () => {
  const costs = (delegators: number): readonly bigint[] => {
    const chain = fourStakers();
    for (let index = 0; index < delegators; index++) {
      chain.fund(person(100 + index), COIN);
      assert.equal(chain.send(person(100 + index), "delegate", [1n], COIN), "done");
    }
    epochs(chain, 2);
    const cost = (act: () => string): bigint => {
      const before = chain.gasUsed;
      assert.equal(act(), "done");
      return chain.gasUsed - before;
    };
    return [
      cost(() => chain.send(person(0), "claim", [1n])),
      cost(() => chain.send(REPORTER, "report", [toHex(fakeEvidence(1)), toHex(keyOf("consensus", 0, 48))])),
      cost(() => chain.send(person(0), "exit")),
    ];
  };
  assert.deepEqual(costs(2), costs(200));
});

test("coins that are forced upon the contract change nobody's claims", () => {
  const chain = fourStakers();
  chain.state.beginTransaction();
  chain.state.setBalance(STAKING_ADDRESS, chain.held() + 5n * COIN);
  chain.state.endTransaction();
  epochs(chain, 2);
  const { bonded, unbonding, unclaimed, burned } = readStakingState(chain.state)!;
  assert.equal(chain.held(), bonded + unbonding + unclaimed + burned + 5n * COIN);
});
