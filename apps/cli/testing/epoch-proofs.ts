import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { toHex, unwrap } from "@ostrom/base";
import { type BlsEngine, bls, installEngines } from "@ostrom/crypto";
import {
  type CheckpointChain,
  checkpointToStart,
  createLightClient,
  formatCheckpoint,
  verifyCheckpoints,
} from "@ostrom/sdk";
import type { Hex } from "viem";
import { ask } from "../rpc-client.ts";
import { blockHashes, LONG_WAIT_MS, waitUntil } from "./test-network.ts";

const withoutBls = (): never => assert.fail("a signature of BLS12-381 is looked at");

/** Proves a chain from genesis up to an epoch's checkpoint, or a later one's, by a machine that knows of no certificate of BLS12-381. */
export async function proveEpochs(genesisPath: string, epoch: number, at: string): Promise<CheckpointChain> {
  await waitUntil(`a checkpoint of epoch ${epoch}`, 3 * LONG_WAIT_MS, async () => {
    const told = await ask<{ readonly newest: Hex | null } | null>(at, "ostrom_getEpochCheckpoint");
    return told !== null && told.newest !== null && Number(told.newest) >= epoch;
  });
  const genesis: unknown = JSON.parse(readFileSync(genesisPath, "utf8"));
  const before: BlsEngine = bls();
  installEngines({
    bls: { ...before, verify: withoutBls, aggregate: withoutBls, verifyAggregate: withoutBls },
  });
  try {
    const chain = unwrap(await verifyCheckpoints(genesis, at));
    assert.ok(chain.proved.at(-1)!.epoch >= epoch, JSON.stringify(chain.missing));
    return chain;
  } finally {
    installEngines({ bls: before });
  }
}

/** Whoever begins with the newest proved block believes what ML-DSA has certified since then, and nothing by a curve. */
export async function followsWithoutCurves(
  known: CheckpointChain,
  servers: readonly string[],
): Promise<void> {
  const checkpoint = formatCheckpoint(checkpointToStart(known)!);
  const light = createLightClient({ servers, checkpoint, areCurvesBroken: true });
  const { height } = known.proved.at(-1)!;
  await waitUntil("a certificate after the checkpoint", LONG_WAIT_MS, async () => {
    unwrap(await light.sync());
    return (await light.header(height + 1)).ok;
  });
  const later = unwrap(await light.header(height + 1));
  assert.deepEqual((await blockHashes(servers[0]!, height + 1, height + 1))[0], toHex(later.hash));
}
