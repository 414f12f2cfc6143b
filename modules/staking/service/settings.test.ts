import assert from "node:assert/strict";
import { test } from "node:test";
import { Hash, toHex, unwrap } from "@ostrom/base";
import type { ModuleSettingsRequest } from "@ostrom/runtime";
import {
  encodeStakingSettings,
  MAX_INITIAL_VALIDATORS,
  PUBLIC_STAKING_SETTINGS,
} from "@ostrom/staking-chain";
import { stakingKeys } from "./keys.ts";
import { stakingSettings } from "./settings.ts";
import { participant, StakedChain } from "./testing/staked-chain.ts";

const participants = new StakedChain(4, 1).actors.map(participant);

function request(options: Record<string, string>, validators = participants): ModuleSettingsRequest {
  return { chainId: 1n, validators, options };
}

function codeOf(options: Record<string, string>, validators = participants): string {
  const settings = stakingSettings(request(options, validators));
  return settings.ok ? "taken" : settings.error.code;
}

test("without options and validators it is what the public profile begins with, named by the chain's genesis", () => {
  const genesisHash = Hash(new Uint8Array(32).fill(5));
  const { settings } = unwrap(stakingSettings({ ...request({}, []), genesisHash }));
  assert.equal(toHex(settings), toHex(encodeStakingSettings({ ...PUBLIC_STAKING_SETTINGS, genesisHash })));
});

test("what is chosen is what is encoded; validators are granted stake by their weight", () => {
  const options = {
    "expected-seats": "500",
    "min-stake": "2.5",
    "epoch-reward": "0",
    stake: "100",
    commission: "700",
  };
  const { settings } = unwrap(stakingSettings(request(options)));
  const chosen = {
    ...PUBLIC_STAKING_SETTINGS,
    expectedSeats: 500,
    minStake: 2_500_000_000_000_000_000n,
    epochReward: 0n,
  };
  const initial = participants.map(({ account, weight, keys, ...rest }) => ({
    ...rest,
    operator: account,
    stake: BigInt(weight) * 10n ** 20n,
    isGranted: true,
    vrfKey: keys["vrf"]!,
    commission: 700,
  }));
  assert.equal(toHex(settings), toHex(encodeStakingSettings(chosen, initial)));
});

test("unknown names, wrong values and values that contradict each other are refused", () => {
  for (const options of [
    { seats: "1" },
    { "expected-seats": "0" },
    { "expected-seats": "5000" },
    { "expected-seats": "1e3" },
    { "slash-percent": "101" },
    { "min-stake": "0" },
    { "min-stake": "-1" },
    { "min-stake": "99999999999" },
    { "min-validators": "5", "max-validators": "4" },
    { "evidence-epochs": "8" },
    { toString: "1" },
  ] as Record<string, string>[])
    assert.equal(codeOf(options), "staking/option", JSON.stringify(options));
});

test("validators without a key, with too long a name, or with less than the least stake are refused", () => {
  const [first, ...others] = participants as [(typeof participants)[0]];
  assert.equal(codeOf({}, [{ ...first, keys: {} }, ...others]), "staking/validators");
  assert.equal(codeOf({}, [{ ...first, keys: { vrf: new Uint8Array(32) } }]), "staking/validators");
  assert.equal(codeOf({}, [{ ...first, name: "n".repeat(33) }]), "staking/validators");
  assert.equal(codeOf({ stake: "999" }), "staking/validators");
  assert.equal(codeOf({}, Array(MAX_INITIAL_VALIDATORS + 1).fill(first)), "staking/validators");
});

test("keys are made of what entropy gives, again where it is out of range", () => {
  for (const { create, publicPart } of stakingKeys) {
    const draws = [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(32).fill(7)];
    const secret = create(() => draws.shift()!);
    assert.deepEqual(secret, new Uint8Array(32).fill(7));
    assert.ok(publicPart(secret).length >= 20);
  }
});
