import {
  type Address,
  addressFromWord,
  type Bytes,
  concatBytes,
  equalBytes,
  hex,
  toHex,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { ModulePrecompile } from "@ostrom/execution";
import { forkPrecompiles, type PrecompileSet } from "@ostrom/vm";
import {
  EVIDENCE_PRECOMPILE_ADDRESS,
  POSSESSION_PRECOMPILE_ADDRESS,
  VRF_PRECOMPILE_ADDRESS,
} from "../addresses.ts";
import { consentMessage } from "../possession-precompile.ts";
import type { InitialValidator } from "../settings.ts";

export const CHAIN_ID = 77n;
export const GENESIS_HASH: Bytes = keccak256(utf8("a genesis"));

/** Somebody with keys that derive from a number. They are no points of any curve: the precompiles of these tests do not mind. */
export type Person = { readonly index: number; readonly address: Address };

export function person(index: number): Person {
  return { index, address: addressFromWord(0xaa0000n + BigInt(index)) };
}

export function keyOf(kind: string, index: number, bytes: number): Bytes {
  const text = utf8(`${kind} ${index}`);
  return concatBytes(keccak256(text), keccak256(concatBytes(text, text)), keccak256(keccak256(text))).slice(
    0,
    bytes,
  );
}

export function registrationOf(index: number): Record<string, unknown> {
  return {
    consensusKey: toHex(keyOf("consensus", index, 48)),
    proofOfPossession: toHex(keyOf("possession", index, 96)),
    transportKey: toHex(keyOf("transport", index, 32)),
    vrfKey: toHex(concatBytes(hex("02"), keyOf("vrf", index, 32))),
    consent: toHex(fakeConsent(person(index).address)),
    name: `staker-${index}`,
    host: `host-${index}.example.org`,
    port: 30_000 + index,
    commission: 500,
  };
}

export function initialValidator(index: number, stake: bigint, isGranted: boolean): InitialValidator {
  return {
    operator: person(index).address,
    stake,
    isGranted,
    consensusKey: keyOf("consensus", index, 48),
    proofOfPossession: keyOf("possession", index, 96),
    transportKey: keyOf("transport", index, 32),
    vrfKey: concatBytes(hex("02"), keyOf("vrf", index, 32)),
    name: `staker-${index}`,
    host: `host-${index}.example.org`,
    port: 30_000 + index,
    commission: 500,
  };
}

/** A proof is "any" and fixes the output: keccak256(key, input). */
export const FAKE_PROOF: Bytes = new Uint8Array(81).fill(7);

/** Stands for the function until somebody needs the real one: the output is keccak256 of key and input. */
const fakeVrf: ModulePrecompile = {
  address: VRF_PRECOMPILE_ADDRESS,
  gas: () => 60_000n,
  run: (input) =>
    input.length === 146 && equalBytes(input.subarray(33, 114), FAKE_PROOF)
      ? keccak256(concatBytes(input.slice(0, 33), input.slice(114)))
      : undefined,
};

/** Evidence is "evidence", the epoch and the view as words: true for whatever key. */
export function fakeEvidence(epoch: number, view = 1): Bytes {
  return concatBytes(utf8("evidence"), wordToBytes(BigInt(epoch)), wordToBytes(BigInt(view)));
}

/** What the reporter of evidence announces. */
export function announcement(evidence: Bytes, { address }: Person): string {
  return toHex(keccak256(concatBytes(keccak256(evidence), new Uint8Array(12), address)));
}

const fakeEvidenceCheck: ModulePrecompile = {
  address: EVIDENCE_PRECOMPILE_ADDRESS,
  gas: () => 150_000n,
  run: (input) => {
    const claim = input.slice(80);
    const isOfChain = equalBytes(input.subarray(48, 80), GENESIS_HASH);
    if (!isOfChain || claim.length !== 72 || !equalBytes(claim.subarray(0, 8), utf8("evidence")))
      return undefined;
    return concatBytes(claim.slice(8, 40), wordToBytes(0n), claim.slice(40));
  },
};

/** The message, and zeros. */
export function fakeConsent(operator: Address): Bytes {
  return concatBytes(consentMessage(CHAIN_ID, operator), new Uint8Array(64));
}

const NO_PROOF = new Uint8Array(8).fill(0xff);

/** A proof that begins with eight times 0xff is none. */
const fakePossession: ModulePrecompile = {
  address: POSSESSION_PRECOMPILE_ADDRESS,
  gas: () => 180_000n,
  run: (input) => {
    const hasConsented = input.length === 144 || equalBytes(input.subarray(144, 176), input.subarray(240));
    return hasConsented && !equalBytes(input.subarray(48, 56), NO_PROOF) ? wordToBytes(1n) : undefined;
  },
};

/** Ethereum's precompiles with those of staking, played. */
export const PLAYED_PRECOMPILES: PrecompileSet = withModules([fakeVrf, fakeEvidenceCheck, fakePossession]);

function withModules(modules: readonly ModulePrecompile[]): PrecompileSet {
  const set = forkPrecompiles("osaka");
  return {
    addresses: [...set.addresses, ...modules.map(({ address }) => address)],
    call: (address, input, gasLimit) => {
      const module = modules.find((candidate) => equalBytes(candidate.address, address));
      if (module === undefined) return set.call(address, input, gasLimit);
      const cost = module.gas(input);
      const output = cost > gasLimit ? undefined : module.run(input);
      return output === undefined ? { ok: false } : { ok: true, gasUsed: cost, output };
    },
  };
}
