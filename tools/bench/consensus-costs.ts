import { bls, deriveBlsSecretKey, keccak256 } from "@ostrom/crypto";
import { installNativeCrypto } from "@ostrom/runtime";

const SIGNERS = 67;
const REPEATS = 200;
const US_PER_MS = 1_000;

/** Least time of one call, in microseconds, over some rounds: what the work itself costs. */
function leastUs(repeats: number, work: () => unknown): number {
  const rounds = 5;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    for (let repeat = 0; repeat < repeats; repeat++) work();
    least = Math.min(least, ((performance.now() - startMs) * US_PER_MS) / repeats);
  }
  return Math.round(least * 10) / 10;
}

/** What the consensus signatures cost on this machine, as sim/signatures.ts has them; one JSON line. */
export function measureCosts(): void {
  installNativeCrypto();
  const secrets = Array.from({ length: SIGNERS }, (_, index) =>
    deriveBlsSecretKey(keccak256(Uint8Array.of(index))),
  );
  const keys = secrets.map((secret) => bls().publicKey(secret));
  const message = keccak256(Uint8Array.of(1));
  const signatures = secrets.map((secret) => bls().sign(secret, message));
  const aggregate = bls().aggregate(signatures)!;
  const verifyOneUs = leastUs(REPEATS, () => bls().verify(keys[0]!, message, signatures[0]!));
  const verifyAllUs = leastUs(REPEATS, () => bls().verifyAggregate(keys, message, aggregate));
  const verifyFewUs = leastUs(REPEATS, () =>
    bls().verifyAggregate(keys.slice(0, 1), message, signatures[0]!),
  );
  const costs = {
    signUs: leastUs(REPEATS, () => bls().sign(secrets[0]!, message)),
    verifyOneUs,
    aggregateEachUs: leastUs(REPEATS / 10, () => bls().aggregate(signatures)) / SIGNERS,
    verifyAggregateUs: verifyFewUs,
    verifyAggregateEachKeyUs: (verifyAllUs - verifyFewUs) / (SIGNERS - 1),
  };
  console.log(JSON.stringify({ benchmark: "consensus-costs", signers: SIGNERS, ...costs }));
}
