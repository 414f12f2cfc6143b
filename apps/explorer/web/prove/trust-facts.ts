import { type Bytes, fromHex, toHex } from "@ostrom/base";
import { decodeStateCertificate, type StateCertificate } from "@ostrom/consensus";
import { readSigners, signatureScheme } from "@ostrom/crypto";
import { decodeHeader, hashHeader } from "@ostrom/execution";
import type { HexText, ProofValidator, StepFacts } from "./proof-model.ts";

type KeptValidator = { readonly address: HexText; readonly weight: string };
type KeptSet = { readonly epoch: string; readonly schemeId: string; readonly validators: KeptValidator[] };
type KeptTrust = {
  readonly header: string;
  readonly certificate: string;
  readonly set: KeptSet;
  readonly previous?: KeptSet;
};

/** What a light client has verified of the newest certified header, retold for people.
 * @param text as the light client keeps it (`LightStorage`): it writes only what it has verified.
 * @param hashId of the chain's hash function. */
export function factsOfTrust(text: string, hashId: number): readonly StepFacts[] {
  const kept = JSON.parse(text) as KeptTrust;
  const header = decodeHeader(bytesOf(kept.header));
  const certificate = decodeStateCertificate(bytesOf(kept.certificate));
  if (!header.ok || !certificate.ok) return [];
  const epoch = Number(certificate.value.executed.epoch);
  const set = [kept.set, kept.previous].find((one) => one !== undefined && Number(one.epoch) === epoch);
  const { number: height, timestamp, stateRoot } = header.value;
  const hash = toHex(hashHeader(header.value, hashId));
  const head: StepFacts = { step: "header", height, hash, timestamp, stateRoot: toHex(stateRoot) };
  if (set === undefined) return [head];
  const validators = validatorsOf(set, certificate.value);
  return [{ step: "validators", epoch, validators }, head, certificateFacts(validators, certificate.value)];
}

function validatorsOf({ validators }: KeptSet, { signers }: StateCertificate): readonly ProofValidator[] {
  const read = readSigners(validators.length, signers);
  const signed = new Set(read.ok ? read.value : []);
  return validators.map(({ address, weight }, index) => ({
    address,
    weight: Number(weight),
    hasSigned: signed.has(index),
  }));
}

function certificateFacts(validators: readonly ProofValidator[], { schemeId }: StateCertificate): StepFacts {
  const signed = validators.filter(({ hasSigned }) => hasSigned);
  const sum = (some: readonly ProofValidator[]): number =>
    some.reduce((total, { weight }) => total + weight, 0);
  const total = sum(validators);
  return {
    step: "certificate",
    signers: signed.length,
    validators: validators.length,
    weight: sum(signed),
    // Source: protocol, q = floor(2W / 3) + 1.
    needed: Math.floor((2 * total) / 3) + 1,
    total,
    scheme: signatureScheme(schemeId)?.name ?? `scheme ${schemeId}`,
  };
}

function bytesOf(text: string): Bytes {
  const read = fromHex(text);
  return read.ok ? read.value : new Uint8Array(0);
}
