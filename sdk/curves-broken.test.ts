import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { unwrap } from "@ostrom/base";
import { validatorSetHash } from "@ostrom/consensus";
import { formatGenesis } from "@ostrom/execution";
import { consensusSet, installNativeCrypto } from "@ostrom/runtime";
import { formatCheckpoint } from "./checkpoint.ts";
import { createLightClient, type LightClientOptions } from "./light-client.ts";
import { type EpochChain, makeEpochChain } from "./testing/epoch-chain.ts";
import { storedSetOf } from "./testing/keys.ts";

const START_MS = 1_800_000_000_000;
const LENGTH = 6;
const HEAD = 2 * LENGTH;

let chain: EpochChain;
let served: { readonly url: string; readonly stop: () => Promise<void> };

before(async () => {
  installNativeCrypto();
  chain = await makeEpochChain({
    epochs: 2,
    epochLength: LENGTH,
    epochLead: 2,
    timestampMs: START_MS,
    intervalMs: 1_000,
  });
  served = await chain.serve();
});
after(() => served.stop());

const clientOf = (change: Partial<LightClientOptions>) =>
  createLightClient({
    servers: [served.url],
    nowMs: () => START_MS + (HEAD + 3) * 1_000,
    ...change,
  });

/** As an epoch checkpoint names it: an epoch's last block, and the set that follows. */
function afterEpoch(epoch: number): string {
  const height = (epoch + 1) * LENGTH;
  const set = consensusSet(storedSetOf(epoch + 1), epoch + 1);
  const setHash = validatorSetHash(chain.domain, set);
  return formatCheckpoint({
    genesisHash: chain.domain.genesisHash,
    height,
    hash: chain.hashAt(height),
    setHash,
  });
}

test("a light client that knows curves to be broken believes no certificate by one, and the others go on", async () => {
  const genesis = formatGenesis(chain.genesis);
  assert.ok((await clientOf({ genesis }).sync()).ok);
  const refused = await clientOf({ genesis, areCurvesBroken: true }).sync();
  assert.equal(refused.ok ? "" : refused.error.code, "light/curves-broken");
  const later = await clientOf({ checkpoint: afterEpoch(0), areCurvesBroken: true }).sync();
  assert.equal(later.ok ? "" : later.error.code, "light/curves-broken");
});

test("a light client begins with an epoch's last block and the set that follows, as epoch checkpoints name them", async () => {
  const head = unwrap(await clientOf({ checkpoint: afterEpoch(0) }).sync());
  assert.equal(head.header.number, HEAD);
});
