import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Height, unwrap, View } from "@ostrom/base";
import {
  deriveBlsSecretKey,
  keccak256,
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_SM2,
  type ValidatorScheme,
  validatorScheme,
  writeSigners,
} from "@ostrom/crypto";
import {
  type Certificate,
  type ConsensusDomain,
  consensusDomain,
  decodeCertificate,
  decodeEvidence,
  decodeMessage,
  domainOfSet,
  type Evidence,
  encodeBlock,
  encodeCertificate,
  encodeEvidence,
  encodeMessage,
  MAX_MESSAGE_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_RANGE_BYTES,
  MAX_SEALING_BLOCKS,
  MAX_VALIDATORS,
  type OrderedBlock,
  type StateCertificate,
  ValidatorIndex,
  type ValidatorSet,
  type Vote,
  verifyCertificate,
  verifyEvidence,
  verifyStateCertificate,
  voteSigningBytes,
} from "./index.ts";
import { executedSigningBytes } from "./signing.ts";
import { runEpochCampaign } from "./testing/campaign.ts";
import { blockAt, stateCertificateOf } from "./testing/driven-node.ts";
import { SIMULATED_LIST_SCHEME, SIMULATED_SCHEME, simulatedSet } from "./testing/signatures.ts";

const GENESIS = keccak256(Uint8Array.of(7));
const VIEW = 5;
const FOUR = [1, 1, 1, 1];

/** Four validators under one scheme, whose secrets are known here. */
function members(schemeId: number): {
  readonly scheme: ValidatorScheme;
  readonly secrets: readonly Uint8Array[];
  readonly set: ValidatorSet;
  readonly domain: ConsensusDomain;
} {
  const scheme = validatorScheme(schemeId)!;
  const secrets = FOUR.map((_, index) => deriveBlsSecretKey(new Uint8Array(32).fill(index + 1)));
  const bare = simulatedSet(FOUR, schemeId);
  const validators = bare.validators.map((validator, index) => ({
    ...validator,
    consensusKey: scheme.publicKey(secrets[index]!),
  }));
  // Bound to another scheme than the set's: what takes a set works by the set.
  const domain = consensusDomain(GENESIS, 1, schemeId === SCHEME_SM2 ? SCHEME_BLS12381 : SCHEME_SM2);
  return { scheme, secrets, set: { ...bare, validators }, domain };
}

function certificate(schemeId: number, signers: readonly number[], vote: Vote): Certificate {
  const { scheme, secrets, set, domain } = members(schemeId);
  const message = voteSigningBytes(domainOfSet(domain, set), vote);
  const signature = scheme.join(signers.map((signer) => scheme.sign(secrets[signer]!, message)))!;
  const { epoch, view, digest } = vote;
  return {
    kind: "finalization",
    schemeId,
    epoch,
    view,
    digest,
    signers: writeSigners(FOUR.length, signers),
    signature,
  };
}

const VOTE: Vote = { kind: "finalize", epoch: Epoch(0), view: View(VIEW), digest: GENESIS };

for (const schemeId of [SCHEME_BLS12381, SCHEME_SM2, SCHEME_ML_DSA_44]) {
  const { name } = validatorScheme(schemeId)!;

  test(`${name}: a certificate counts by its set's scheme, and only in its exact form`, () => {
    const { set, domain } = members(schemeId);
    const good = certificate(schemeId, [0, 2, 3], VOTE);
    assert.deepEqual(unwrap(decodeCertificate(encodeCertificate(good))), good);
    const code = (change: Partial<Certificate>): string => {
      const verified = verifyCertificate(domain, set, { ...good, ...change });
      return verified.ok ? "ok" : verified.error.code;
    };
    assert.equal(code({}), "ok");
    assert.equal(code({ schemeId: SIMULATED_SCHEME }), "certificate/scheme");
    assert.equal(code({ signers: writeSigners(4, [0, 2]) }), "certificate/weight");
    assert.equal(code({ signers: writeSigners(4, [0, 1, 3]) }), "certificate/signature");
    assert.equal(code({ signers: writeSigners(4, [0, 1, 2, 3]) }), "certificate/signature");
    assert.equal(code({ signature: good.signature.subarray(1) }), "certificate/signature");
    assert.equal(code({ signature: Uint8Array.of(...good.signature, 0) }), "certificate/signature");
    assert.equal(code({ view: View(VIEW + 1) }), "certificate/signature");
  });

  test(`${name}: two statements of one validator are evidence under its epoch's set`, () => {
    const { scheme, secrets, set, domain } = members(schemeId);
    const signer = ValidatorIndex(2);
    const said = (vote: Vote) => ({
      vote,
      signer,
      signature: scheme.sign(secrets[2]!, voteSigningBytes(domainOfSet(domain, set), vote)),
    });
    const other: Vote = { ...VOTE, digest: keccak256(Uint8Array.of(8)) };
    const evidence: Evidence = {
      kind: "votes",
      validator: signer,
      first: said(VOTE),
      second: said(other),
    };
    const read = unwrap(decodeEvidence(encodeEvidence(evidence)));
    assert.ok(verifyEvidence(domain, set, read).ok);
    const forged = { ...evidence, second: { ...evidence.second, signature: evidence.first.signature } };
    assert.ok(!verifyEvidence(domain, set, forged).ok);
  });
}

test("what one scheme's validators signed means nothing under another scheme, even with the same keys", () => {
  const { set, domain } = members(SCHEME_ML_DSA_44);
  const good = certificate(SCHEME_ML_DSA_44, [0, 1, 2], VOTE);
  const renamed = { ...set, schemeId: SCHEME_SM2 };
  const verified = verifyCertificate(domain, renamed, { ...good, schemeId: SCHEME_SM2 });
  assert.equal(verified.ok ? "ok" : verified.error.code, "certificate/signature");
  const bound = [SCHEME_ML_DSA_44, SCHEME_SM2].map((schemeId) =>
    voteSigningBytes(domainOfSet(domain, { schemeId }), VOTE).join(),
  );
  assert.notEqual(bound[0], bound[1], "signed bytes name the scheme");
});

test("a proposal of the longest payload and a certificate of 100 ML-DSA-65 validators fits into a message", () => {
  const scheme = validatorScheme(7)!;
  const { executed } = stateCertificateOf(1);
  const stateCertificate: StateCertificate = {
    schemeId: scheme.id,
    executed,
    signers: new Uint8Array(13).fill(0xff),
    signature: new Uint8Array(scheme.joinedLength(100)),
  };
  const block = { ...blockAt(2), stateCertificate, payload: new Uint8Array(MAX_PAYLOAD_BYTES) };
  const proposal = { kind: "proposal", block, signature: new Uint8Array(scheme.signatureLength) } as const;
  const bytes = encodeMessage(proposal);
  assert.ok(bytes.length <= MAX_MESSAGE_BYTES);
  assert.ok(decodeMessage(bytes).ok);
});

test("the longest range, with a certificate of all validators that a set may have, fits into a message", () => {
  const scheme = validatorScheme(SCHEME_ML_DSA_65)!;
  const signed = {
    schemeId: scheme.id,
    signers: new Uint8Array(MAX_VALIDATORS / 8).fill(0xff),
    signature: new Uint8Array(scheme.joinedLength(MAX_VALIDATORS)),
  };
  const { executed } = stateCertificateOf(1);
  const first = { ...blockAt(2), stateCertificate: { ...signed, executed }, payload: new Uint8Array(0) };
  const room = MAX_RANGE_BYTES - encodeBlock(first).length;
  const others = Math.floor(room / MAX_PAYLOAD_BYTES);
  const lastPayload = new Uint8Array(room - others * MAX_PAYLOAD_BYTES - 1_000);
  const blocks = [
    first,
    ...Array.from({ length: others }, () => ({ ...blockAt(3), payload: new Uint8Array(MAX_PAYLOAD_BYTES) })),
    { ...blockAt(4), payload: lastPayload },
  ];
  const finalization = { ...certificate(SCHEME_ML_DSA_44, [0, 1, 2], VOTE), ...signed };
  const bytes = encodeMessage({ kind: "block-range", blocks, finalization });
  assert.ok(bytes.length <= MAX_MESSAGE_BYTES, `${bytes.length}`);
  const read = decodeMessage(bytes);
  assert.ok(read.ok, read.ok ? "" : read.error.code);
});

test("a certificate that many blocks of a range carry is written once", () => {
  const { executed } = stateCertificateOf(1);
  const stateCertificate: StateCertificate = {
    schemeId: SCHEME_ML_DSA_44,
    executed,
    signers: new Uint8Array(13).fill(0xff),
    signature: new Uint8Array(100 * 2420).fill(7),
  };
  const blocks: OrderedBlock[] = [];
  for (let index = 0; index < MAX_SEALING_BLOCKS; index++)
    blocks.push({ ...blockAt(index + 2), height: Height(index + 2), stateCertificate });
  const finalization = certificate(SCHEME_ML_DSA_44, [0, 1, 2], VOTE);
  const message = { kind: "block-range", blocks, finalization } as const;
  const bytes = encodeMessage(message);
  assert.ok(bytes.length < 2 * stateCertificate.signature.length, `${bytes.length} bytes`);
  assert.deepEqual(unwrap(decodeMessage(bytes)), message);
});

test("a state certificate of the epoch before is checked by that epoch's scheme", () => {
  const { scheme, secrets, set, domain } = members(SCHEME_ML_DSA_44);
  const { executed } = stateCertificateOf(1);
  const message = executedSigningBytes(domainOfSet(domain, set), executed);
  const signature = scheme.join([0, 1, 3].map((signer) => scheme.sign(secrets[signer]!, message)))!;
  const signers = writeSigners(4, [0, 1, 3]);
  assert.ok(verifyStateCertificate(domain, set, { schemeId: scheme.id, executed, signers, signature }).ok);
});

test("epochs that take turns in two schemes, one without aggregation, agree and go on under every fault", () => {
  for (let seed = 1; seed <= 12; seed++)
    runEpochCampaign(seed, 4 + (seed % 4), {}, [SIMULATED_SCHEME, SIMULATED_LIST_SCHEME]);
});
