// Figures for README.md: `node sdk/light-client.bench.ts`. What is timed is the client alone: answers come from memory.
import { existsSync } from "node:fs";
import { addressFromHex, hashFromHex, must, toHex, unwrap } from "@ostrom/base";
import { encodeStateCertificate, verifyStateCertificate } from "@ostrom/consensus";
import { installEngines, REFERENCE_ENGINES } from "@ostrom/crypto";
import { formatGenesis } from "@ostrom/execution";
import { consensusSet, installNativeCrypto } from "@ostrom/runtime";
import { chromium } from "playwright-core";
import { createLightClient } from "./light-client.ts";
import { httpServer, type LightServer } from "./server.ts";
import { serveSources } from "./testing/browser-server.ts";
import { makeEpochChain } from "./testing/epoch-chain.ts";
import { checkpointAt } from "./testing/forged-world.ts";
import { storedSetOf } from "./testing/keys.ts";
import { HONEST, tamperedServer } from "./testing/tampering.ts";

const CHROMIUM = "/usr/bin/chromium";
const EPOCHS = 101;
const LENGTH = 4;
const VERIFICATIONS = 50;
const START_MS = 1_800_000_000_000;

installNativeCrypto();
const chain = await makeEpochChain({
  epochs: EPOCHS,
  epochLength: LENGTH,
  epochLead: 1,
  timestampMs: START_MS,
  intervalMs: 1_000,
});
const served = await chain.serve();
const genesis = formatGenesis(chain.genesis);
const nowMs = START_MS + chain.height * 1_000;
const server = tamperedServer(httpServer(served.url));
// Once, so that all answers are in memory.
await syncMs(server);

for (const engines of ["noble", "native"] as const) {
  if (engines === "native") installNativeCrypto();
  else installEngines(REFERENCE_ENGINES);
  const set = consensusSet(storedSetOf(EPOCHS - 1), EPOCHS - 1);
  const certificate = chain.certificateAt(chain.height);
  verifyStateCertificate(chain.domain, set, certificate);
  const each = Array.from({ length: VERIFICATIONS }, () => {
    const startMs = performance.now();
    verifyStateCertificate(chain.domain, set, certificate);
    return (performance.now() - startMs) * 1_000;
  });
  const syncs = [await syncMs(server), await syncMs(server)];
  console.log(
    `Node, ${engines}: ${spread(each)} us a certificate (4 validators); ${EPOCHS - 1} epochs in ${spread(syncs)} ms`,
  );
}

await browserFigures();
await sizes();
await served.stop();

/** Least and median: others use the machine too. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [least] = sorted;
  const median = sorted[Math.floor(sorted.length / 2)];
  return `${(least ?? 0).toFixed(0)} (median ${(median ?? 0).toFixed(0)})`;
}

async function syncMs(from: LightServer): Promise<number> {
  const client = createLightClient({ servers: [from], genesis, nowMs: () => nowMs });
  const startMs = performance.now();
  unwrap(await client.sync());
  return performance.now() - startMs;
}

async function browserFigures(): Promise<void> {
  if (!existsSync(CHROMIUM)) {
    console.log(`browser: no ${CHROMIUM}`);
    return;
  }
  const sources = await serveSources();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage();
  await page.goto(sources.url);
  const found = await page.evaluate(
    async ({ url, genesis, nowMs }) => {
      const path: string = "/sdk/index.ts";
      const { createLightClient, httpServer } = (await import(path)) as typeof import("./index.ts");
      const tampering: string = "/sdk/testing/tampering.ts";
      const { tamperedServer } = (await import(tampering)) as typeof import("./testing/tampering.ts");
      const server = tamperedServer(httpServer(url));
      const sync = async (): Promise<number> => {
        const client = createLightClient({ servers: [server], genesis, nowMs: () => nowMs });
        const startMs = performance.now();
        await client.sync();
        return performance.now() - startMs;
      };
      return { firstMs: await sync(), againMs: [await sync(), await sync(), await sync()] };
    },
    { url: served.url, genesis, nowMs },
  );
  const perStep = found.againMs.map((ms) => (ms * 1_000) / EPOCHS);
  console.log(
    `Chromium, noble: ${EPOCHS - 1} epochs in ${spread(found.againMs)} ms, ${spread(perStep)} us a step; ` +
      `the first time, with the network: ${found.firstMs.toFixed(0)} ms`,
  );
  await browser.close();
  await sources.stop();
}

/** Bytes of what travels, as JSON. */
async function sizes(): Promise<void> {
  const bytes = new Map<string, number>();
  server.tamper = ({ method }, answer) => {
    bytes.set(method, JSON.stringify(answer).length);
    return answer;
  };
  const checkpoint = checkpointAt(chain, chain.height - 2 * LENGTH);
  const client = createLightClient({ servers: [server], checkpoint, nowMs: () => nowMs });
  unwrap(await client.sync());
  unwrap(await client.storage(addressFromHex(toHex(chain.till)), 0n));
  unwrap(
    await client.receipt(hashFromHex(toHex(must(chain.transactionHashes[3], "there are transactions")))),
  );
  server.tamper = HONEST;
  const certificate = encodeStateCertificate(chain.certificateAt(chain.height)).length;
  console.log(
    `a certificate: ${certificate} bytes; answers as JSON: ${JSON.stringify(Object.fromEntries(bytes))}`,
  );
}
