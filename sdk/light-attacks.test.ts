import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addressFromHex, toHex, unwrap } from "@ostrom/base";
import { addressOfSecretKey, formatGenesis } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { createLightClient, type LightClient } from "./light-client.ts";
import type { ProviderError } from "./provider-error.ts";
import { httpServer, type LightServer } from "./server.ts";
import { type EpochChain, makeEpochChain } from "./testing/epoch-chain.ts";
import { clientKey } from "./testing/keys.ts";
import { HONEST, onMethod, type Tamper, tamperedServer } from "./testing/tampering.ts";
import { createVerifiedProvider, type VerifiedProvider } from "./verified-provider.ts";

const START_MS = 1_800_000_000_000;
const INTERVAL_MS = 1_000;

describe("a server that lies by silence", () => {
  let chain: EpochChain;
  let stop: () => Promise<void>;
  let server: LightServer & { tamper: Tamper };
  let nowMs = 0;
  let genesis: unknown;

  before(async () => {
    installNativeCrypto();
    chain = await makeEpochChain({
      epochs: 2,
      epochLength: 12,
      epochLead: 4,
      timestampMs: START_MS,
      intervalMs: INTERVAL_MS,
      isCertified: () => true,
    });
    const served = await chain.serve();
    stop = served.stop;
    server = tamperedServer(httpServer(served.url));
    nowMs = START_MS + (chain.height + 5) * INTERVAL_MS;
    genesis = formatGenesis(chain.genesis);
  });
  after(() => stop());

  const clientOf = (servers: readonly LightServer[] = [server]): LightClient =>
    createLightClient({ servers, genesis, nowMs: () => nowMs, headRefreshMs: 0 });
  const block = (provider: VerifiedProvider, at: string): Promise<unknown> =>
    provider.request({ method: "eth_getBlockByNumber", params: [at, false] });

  test("withholding the certificates does not make blocks absent", async () => {
    const client = clientOf();
    const provider = createVerifiedProvider(client);
    unwrap(await client.sync());
    assert.equal(await block(provider, "0xffff"), null, "above the newest block there is none");
    server.tamper = onMethod("ostrom_getStateCertificate", () => null);
    await assert.rejects(block(provider, "latest"), { reason: "light/not-available" });
    await assert.rejects(block(provider, "0x3"), { reason: "light/not-available" });
    server.tamper = HONEST;
  });

  test("hints that name whatever they can leave the call its room", async () => {
    const till = toHex(chain.till);
    server.tamper = onMethod("eth_createAccessList", () => ({
      accessList: Array.from({ length: 1_024 }, (_, index) => ({
        address: toHex(addressOfSecretKey(clientKey(0))).slice(0, 38) + index.toString(16).padStart(4, "0"),
        storageKeys: [],
      })),
    }));
    const provider = createVerifiedProvider(clientOf());
    const total = await provider.request({
      method: "eth_call",
      params: [{ to: till, data: "0x2ddbd13a" }, "latest"],
    });
    assert.equal(BigInt(String(total)), 1_000n);
    server.tamper = HONEST;
  });

  test("an error instead of a proof is no revert, whatever it says", async () => {
    const data = `0x08c379a0${"20".padStart(64, "0")}${"2".padStart(64, "0")}${"6e6f".padEnd(64, "0")}`;
    const rpc = { code: 3, data };
    const error = { code: "light/server-error", message: "execution reverted: no", rpc } as const;
    const liar: LightServer = {
      name: "liar",
      ask: async (calls) => {
        const answers = await server.ask(calls);
        return answers.map((answer, index) =>
          calls[index]!.method === "eth_getProof" ? { ok: false, error } : answer,
        );
      },
    };
    const provider = createVerifiedProvider(clientOf([liar]));
    const call = [{ to: toHex(chain.till), data: "0x2ddbd13a" }, "latest"];
    for (const method of ["eth_call", "eth_estimateGas"])
      await assert.rejects(provider.request({ method, params: call }), (thrown: Error) => {
        const { code, data: shown, reason } = thrown as ProviderError;
        assert.deepEqual([code, shown, reason], [-32_000, { reason: error.code }, error.code]);
        return !thrown.message.includes("reverted");
      });
    const honest = createVerifiedProvider(clientOf([liar, server]));
    assert.equal(BigInt(String(await honest.request({ method: "eth_call", params: call }))), 1_000n);
  });

  test("names of JSON's prototypes are no fields of an answer, and no answer has any", async () => {
    server.tamper = (_call, answer) =>
      typeof answer === "object" && answer !== null && !Array.isArray(answer)
        ? (JSON.parse('{"__proto__":{"accountProof":[]},"constructor":{},"length":9}') as unknown)
        : answer;
    const refused = await clientOf().account(addressFromHex(`0x${"ab".repeat(20)}`));
    assert.ok(!refused.ok && refused.error.code === "light/malformed");
    server.tamper = HONEST;
  });
});
