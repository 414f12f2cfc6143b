import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCryptoVectors } from "./vector-files.ts";
import { describeOutcome } from "./vector-record.ts";
import { runCryptoVectors } from "./vectors.ts";

test("every applicable vector of Wycheproof, ACVP, ed25519-speccheck and RFC 9380 passes for portable and native engines", (context) => {
  if (!hasCryptoVectors())
    return context.skip("no vectors beside the repository, at ../shared/vectors/crypto");
  const outcomes = runCryptoVectors();
  const wrong = outcomes.filter((outcome) => outcome.failed.length > 0);
  assert.deepEqual(wrong.map(describeOutcome), []);
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const departures = new Map<string, number>();
  for (const [reason, count] of outcomes.flatMap((outcome) => [...outcome.departures]))
    departures.set(reason, (departures.get(reason) ?? 0) + count);
  context.diagnostic(
    `${passed} answers right; on purpose otherwise: ${JSON.stringify(Object.fromEntries(departures))}`,
  );
  assert.deepEqual(Object.fromEntries(departures), {
    "its nonce's x exceeds the order: Ethereum's yParity cannot say so": 10,
    "a high s would be a second form of one signature": 282,
  });
  assert.ok(passed > 10_000);
});
