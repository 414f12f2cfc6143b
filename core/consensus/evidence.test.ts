import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash, unwrap, ZERO_HASH } from "@ostrom/base";
import {
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  executedSigningBytes,
  placeOfEvidence,
  type SignedExecuted,
  ValidatorIndex,
  verifyEvidence,
  verifyEvidenceByKey,
} from "./index.ts";
import { signedBy, stateCertificateOf, TEST_CONFIG, voteFor } from "./testing/driven-node.ts";
import { simulatedSign } from "./testing/signatures.ts";

const { domain, validators } = TEST_CONFIG;
const A = Hash(new Uint8Array(32).fill(1));
const B = Hash(new Uint8Array(32).fill(2));
const validator = ValidatorIndex(2);

function resultOf(height: number, executedHash: Hash): SignedExecuted {
  const { executed } = stateCertificateOf(height, ZERO_HASH, [1, 2, 3], executedHash);
  const key = validators.validators[validator]!.consensusKey;
  return {
    executed,
    signer: validator,
    signature: simulatedSign(key, executedSigningBytes(domain, executed)),
  };
}

const votes = (first: ReturnType<typeof voteFor>, second: ReturnType<typeof voteFor>): Evidence => ({
  kind: "votes",
  validator,
  first: signedBy(validator, first),
  second: signedBy(validator, second),
});

const results = (first: SignedExecuted, second: SignedExecuted): Evidence => ({
  kind: "results",
  validator,
  first,
  second,
});

const GUILTY: readonly Evidence[] = [
  votes(voteFor("notarize", 3, A), voteFor("notarize", 3, B)),
  votes(voteFor("finalize", 3, A), voteFor("finalize", 3, B)),
  votes(voteFor("nullify", 3), voteFor("finalize", 3, A)),
  votes(voteFor("finalize", 3, A), voteFor("nullify", 3)),
  results(resultOf(5, A), resultOf(5, B)),
];

const INNOCENT: readonly Evidence[] = [
  votes(voteFor("notarize", 3, A), voteFor("notarize", 3, A)),
  votes(voteFor("notarize", 3, A), voteFor("notarize", 4, B)),
  votes(voteFor("notarize", 3, A), voteFor("nullify", 3)),
  votes(voteFor("notarize", 3, A), voteFor("finalize", 3, A)),
  votes(voteFor("nullify", 3), voteFor("nullify", 3)),
  results(resultOf(5, A), resultOf(6, B)),
  results(resultOf(5, A), resultOf(5, A)),
];

test("S15: two statements that contradict each other convict their signer before anybody who knows the set", () => {
  for (const evidence of GUILTY) {
    const received = unwrap(decodeEvidence(encodeEvidence(evidence)));
    assert.deepEqual(received, evidence);
    assert.ok(verifyEvidence(domain, validators, received).ok);
  }
});

test("S15: what an honest validator says in the course of things convicts nobody", () => {
  for (const evidence of INNOCENT) {
    const verified = verifyEvidence(domain, validators, evidence);
    assert.equal(!verified.ok && verified.error.code, "evidence/no-contradiction");
  }
});

test("S15: evidence of another epoch, against another, or forged is refused with its reason", () => {
  const [guilty] = GUILTY as [Extract<Evidence, { kind: "votes" }>];
  const code = (evidence: Evidence, epoch = 0): string | undefined => {
    const verified = verifyEvidence(domain, { ...validators, epoch: Epoch(epoch) }, evidence);
    return verified.ok ? undefined : verified.error.code;
  };
  assert.equal(code(guilty, 1), "evidence/epoch");
  assert.equal(code({ ...guilty, validator: ValidatorIndex(1) }), "evidence/signer");
  const framed = {
    ...guilty,
    validator: ValidatorIndex(1),
    first: { ...guilty.first, signer: ValidatorIndex(1) },
  };
  assert.equal(
    code({ ...framed, second: { ...guilty.second, signer: ValidatorIndex(1) } }),
    "evidence/signature",
  );
  assert.equal(
    code({ ...guilty, second: { ...guilty.second, signature: new Uint8Array(16) } }),
    "evidence/signature",
  );
});

test("S15: the key alone convicts: of the index, only that all name the same one is known", () => {
  const [guilty] = GUILTY as [Extract<Evidence, { kind: "votes" }>];
  const key = validators.validators[validator]!.consensusKey;
  const code = (evidence: Evidence, consensusKey = key, chain = domain): string | undefined => {
    const verified = verifyEvidenceByKey(chain, consensusKey, evidence);
    return verified.ok ? undefined : verified.error.code;
  };
  for (const evidence of GUILTY) {
    assert.equal(code(evidence), undefined);
    assert.equal(placeOfEvidence(evidence), evidence.kind === "votes" ? 3 : 5);
  }
  for (const evidence of INNOCENT) assert.equal(code(evidence), "evidence/no-contradiction");
  const beyond = ValidatorIndex(900);
  const elsewhere = {
    ...guilty,
    validator: beyond,
    first: { ...guilty.first, signer: beyond },
    second: { ...guilty.second, signer: beyond },
  };
  assert.equal(code(elsewhere), undefined);
  const against = verifyEvidence(domain, validators, elsewhere);
  assert.equal(!against.ok && against.error.code, "evidence/signer");
  assert.equal(code({ ...guilty, first: { ...guilty.first, signer: beyond } }), "evidence/signer");
  assert.equal(code(guilty, validators.validators[1]!.consensusKey), "evidence/signature");
  assert.equal(code(guilty, key, { ...domain, genesisHash: A }), "evidence/signature");
});

test("S15: statements of two epochs contradict nothing", () => {
  const other = (evidence: Evidence): Evidence =>
    evidence.kind === "votes"
      ? { ...evidence, second: signedBy(validator, { ...evidence.second.vote, epoch: Epoch(1) }) }
      : evidence;
  for (const evidence of GUILTY.slice(0, 4)) {
    const verified = verifyEvidence(domain, validators, other(evidence));
    assert.equal(!verified.ok && verified.error.code, "evidence/no-contradiction");
  }
});

test("evidence that is cut off or of an unknown kind cannot be read", () => {
  const bytes = encodeEvidence(GUILTY[0]!);
  for (let length = 0; length < bytes.length; length++) assert.ok(!decodeEvidence(bytes.slice(0, length)).ok);
  const unknown = bytes.slice();
  unknown[unknown.indexOf(0x80)] = 0x07;
  assert.ok(!decodeEvidence(unknown).ok);
});
