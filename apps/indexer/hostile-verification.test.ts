import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChainSource } from "./chain-source.ts";
import { createCompilers } from "./compiler.ts";
import type { Database } from "./database.ts";
import { openDatabase } from "./open-database.ts";
import { handleRest } from "./rest-handler.ts";
import type { RestVerification, VerificationRequest } from "./rest-types.ts";
import type { RestServices } from "./route.ts";
import { readSource } from "./source-reader.ts";
import { compileExample, EXAMPLE_PATH, exampleInput, installedVersion } from "./testing/example-contracts.ts";
import { createVerification } from "./verification.ts";

const ADDRESS = `0x${"5e".repeat(20)}` as const;
const SOURCE =
  "pragma solidity ^0.8.20; contract Plain { function answer() external pure returns (uint256) { return 42; } }";
const folder = mkdtempSync(join(tmpdir(), "ostrom-verify-"));
let database: Database;
let deployed: string;
let services: RestServices;

before(async () => {
  database = await openDatabase(join(folder, "index"));
  deployed = compileExample(exampleInput(SOURCE))["Plain"]!.evm.deployedBytecode.object;
  const source: ChainSource = {
    ask: async <T>() => `0x${deployed}` as T,
    askMany: async () => [],
    watch: () => () => undefined,
  };
  const verification = createVerification(database, source, createCompilers(undefined));
  const status = { chainId: 1337 } as ReturnType<RestServices["status"]>;
  services = { database, source, verification, status: () => status };
});
after(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

async function verified(request: Partial<VerificationRequest>): Promise<RestVerification> {
  const { verification } = services;
  const { id } = verification.submit({ address: ADDRESS, compiler: installedVersion(), ...request });
  for (;;) {
    const found = verification.find(id)!;
    if (found.state !== "pending") return found;
    await sleep(20);
  }
}

/** Yul makes any bytes: a source that says nothing of the contract, and compiles to exactly its code. */
function yulOf(code: string): object {
  const content = `object "Forged" { code { datacopy(0, dataoffset("forged_deployed"), datasize("forged_deployed"))
    return(0, datasize("forged_deployed")) } object "forged_deployed" { code { verbatim_0i_0o(hex"${code}") } } }`;
  return { language: "Yul", sources: { [EXAMPLE_PATH]: { content } }, settings: { evmVersion: "prague" } };
}

test("a source of Yul that forges the code, the hash of the metadata too, is no full match", async () => {
  const found = await verified({ input: yulOf(deployed) });
  assert.deepEqual([found.state, found.match], ["verified", "partial"], JSON.stringify(found));
});

test("a full match replaces a partial one, and no stranger's partial one replaces it", async () => {
  const partial = await verified({ input: exampleInput(`${SOURCE} // first`) });
  assert.deepEqual([partial.state, partial.match], ["verified", "partial"]);
  const full = await verified({ input: exampleInput(SOURCE) });
  assert.deepEqual([full.state, full.match], ["verified", "full"]);
  const defaced = await verified({ input: exampleInput(`${SOURCE} // send your coins to me`) });
  assert.deepEqual([defaced.state, defaced.match], ["verified", "full"]);
  assert.equal((await readSource(database, ADDRESS))?.sources[0]?.content, SOURCE);
});

test("a page's GET of Etherscan's interface does not set the compiler to work", async () => {
  const query = new URLSearchParams({
    module: "contract",
    action: "verifysourcecode",
    contractaddress: `0x${"5f".repeat(20)}`,
    codeformat: "solidity-standard-json-input",
    compilerversion: installedVersion(),
    sourceCode: JSON.stringify(exampleInput(SOURCE)),
  });
  const answer = await handleRest(services, new Request(`http://index.invalid/api?${query}`));
  const { status, result } = (await answer.json()) as { readonly status: string; readonly result: string };
  assert.deepEqual([status, result], ["0", "Send verifysourcecode by POST"]);
});

test("a body that says no length and does not end is refused when it is too large", async () => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 2 ** 20;
      assert.ok(sent < 2 ** 26, "the body was read on and on");
      controller.enqueue(new Uint8Array(2 ** 20).fill(0x20));
    },
  });
  const init = { method: "POST", headers: { "content-type": "application/json" }, body, duplex: "half" };
  const request = new Request("http://index.invalid/api/v1/verification", init);
  assert.equal((await handleRest(services, request)).status, 413);
});
