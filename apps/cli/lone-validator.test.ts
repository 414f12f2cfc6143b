import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: 1 });
});

after(async () => {
  await network.dispose();
});

test("a lone validator that lost its database does not make another chain in its place", async () => {
  await network.start(0);
  await waitUntil("some blocks are final", LONG_WAIT_MS, async () => {
    return (await blockNumber(network.urls[0]!, "finalized")) >= 2;
  });
  await network.kill(0, "SIGTERM");
  rmSync(join(network.folder(0), "data/chain"), { recursive: true });
  await assert.rejects(network.start(0), /has lost blocks.*restore the folder from a backup/s);
});
