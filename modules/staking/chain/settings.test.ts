import assert from "node:assert/strict";
import { test } from "node:test";
import { Hash, toHex } from "@ostrom/base";
import { encodeAbiParameters, parseAbiParameters } from "viem";
import { encodeStakingSettings, PUBLIC_STAKING_SETTINGS, type StakingSettings } from "./settings.ts";
import { GENESIS_HASH, initialValidator } from "./testing/played-keys.ts";
import { COIN, StakingChain, TEST_SETTINGS } from "./testing/staking-chain.ts";

const SETTINGS =
  "(uint32 expectedSeats, uint16 minValidators, uint16 maxValidators, uint8 minRevealedPercent, uint8 slashPercent, uint16 unbondingEpochs, uint16 jailEpochs, uint16 evidenceEpochs, uint32 fullRewardSeconds, bool active, uint96 minStake, uint96 minDelegation, uint96 epochReward, bytes32 genesisHash)";
const VALIDATORS =
  "(address operator, uint96 stake, bool isGranted, (bytes consensusKey, bytes proofOfPossession, bytes transportKey, bytes vrfKey, bytes consent, string name, string host, uint16 port, uint16 commission) registration)[]";

function byViem(
  settings: StakingSettings,
  validators: readonly ReturnType<typeof initialValidator>[],
): string {
  const genesisHash = toHex(settings.genesisHash ?? new Uint8Array(32));
  const written = validators.map(({ operator, stake, isGranted, ...keys }) => ({
    operator: toHex(operator),
    stake,
    isGranted,
    registration: {
      ...keys,
      consensusKey: toHex(keys.consensusKey),
      proofOfPossession: toHex(keys.proofOfPossession),
      transportKey: toHex(keys.transportKey),
      vrfKey: toHex(keys.vrfKey),
      consent: "0x" as const,
    },
  }));
  return encodeAbiParameters(parseAbiParameters(`${SETTINGS}, ${VALIDATORS}`), [
    { ...settings, active: false, genesisHash },
    written,
  ]);
}

test("settings are encoded as Solidity decodes them", () => {
  const validators = [initialValidator(1, 5n * COIN, true), initialValidator(2, 6n * COIN, false)];
  const named = { ...TEST_SETTINGS, genesisHash: Hash(GENESIS_HASH) };
  assert.equal(toHex(encodeStakingSettings(named, validators)), byViem(named, validators));
  assert.equal(toHex(encodeStakingSettings(PUBLIC_STAKING_SETTINGS)), byViem(PUBLIC_STAKING_SETTINGS, []));
});

test("what cannot work is refused when the module is activated", () => {
  const initial = [initialValidator(1, 20n * COIN, true)];
  const wrong: readonly Partial<StakingSettings>[] = [
    { expectedSeats: 0 },
    { expectedSeats: 4097 },
    { minValidators: 0 },
    { minValidators: 3, maxValidators: 2 },
    { maxValidators: 257 },
    { minRevealedPercent: 100 },
    { slashPercent: 0 },
    { slashPercent: 101 },
    { unbondingEpochs: 3, evidenceEpochs: 1 },
    { unbondingEpochs: 5, evidenceEpochs: 5 },
    { evidenceEpochs: 0 },
    { jailEpochs: 0 },
    { minStake: 0n },
    { minDelegation: 0n },
  ];
  for (const settings of wrong) {
    const text = JSON.stringify(settings, (_, value) => (typeof value === "bigint" ? String(value) : value));
    assert.throws(() => new StakingChain({ settings, initial }), /WrongSettings/, text);
  }
});

test("only nodes activate; again only without validators and with the same slash", () => {
  const chain = new StakingChain({ initial: [initialValidator(1, 20n * COIN, true)] });
  const activate = (
    settings: Partial<StakingSettings>,
    validators: readonly ReturnType<typeof initialValidator>[],
  ) =>
    chain.system(
      "activate",
      [toHex(encodeStakingSettings({ ...TEST_SETTINGS, ...settings }, validators))],
      10_000_000n,
    ).status;
  assert.equal(
    chain.send({ index: 0, address: initialValidator(1, 1n, true).operator }, "activate", ["0x"]),
    "NotTheSystem",
  );
  assert.equal(activate({ maxValidators: 7 }, [initialValidator(2, 20n * COIN, true)]), "revert");
  assert.equal(activate({ slashPercent: 11 }, []), "revert");
  assert.equal(activate({ maxValidators: 7, genesisHash: Hash(new Uint8Array(32).fill(1)) }, []), "success");
  const settings = chain.ask("settings") as { readonly maxValidators: number; readonly genesisHash: string };
  assert.equal(settings.maxValidators, 7);
  assert.equal(settings.genesisHash, toHex(GENESIS_HASH));
});
