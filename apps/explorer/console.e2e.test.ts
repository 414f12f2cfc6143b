import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Abi, createPublicClient, createWalletClient, encodeDeployData, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { WebSocket } from "ws";
import { findFreePorts } from "../cli/testing/free-ports.ts";
import { createTestNetwork, type TestNetwork } from "../cli/testing/test-network.ts";
import { type ConsoleProcess, startConsoleProcess } from "./console-process.ts";

/** The console's process in front of a real network of four validators, and the tools that speak to it. */

/** The first development account, whose key everybody knows. */
const ALICE = privateKeyToAccount("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
/** hardhat verify refuses 31337 and 1337, which are its own network's. */
const CHAIN_ID = 20_262;
const WAIT_MS = 120_000;
const ROOT = join(import.meta.dirname, "../..");
const HARDHAT = join(ROOT, "node_modules/hardhat/dist/src/cli.js");
const folder = mkdtempSync(join(tmpdir(), "ostrom-console-"));
const SOURCE = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Box {
    uint256 public value;
    address public immutable maker;
    constructor(uint256 first) { value = first; maker = msg.sender; }
    function store(uint256 next) external { value = next; }
}
`;
let network: TestNetwork;
let explorer: ConsoleProcess;
let url: string;

before(async () => {
  network = await createTestNetwork({ validators: 4, chainId: CHAIN_ID });
  await network.startAll();
  const [port] = (await findFreePorts(1, 1)) as [number];
  explorer = startConsoleProcess(
    {
      port,
      chainName: "Test",
      nodes: network.urls.map((node, index) => ({
        name: network.file.nodes[index]!.name,
        url: node,
        folder: network.folder(index),
      })),
      database: join(folder, "index"),
    },
    join(folder, "console.log"),
  );
  const started = await explorer.started;
  assert.equal(started.kind, "ready", JSON.stringify(started));
  url = `http://127.0.0.1:${port}`;
  await until("the index is current", async () => {
    const response = await fetch(`${url}/api/v1/status`);
    return response.ok && ((await response.json()) as { readonly isCurrent: boolean }).isCurrent;
  });
});
after(async () => {
  await explorer?.stop();
  await network?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < end, what);
    await sleep(100);
  }
}

/** Asks with headers that fetch would not send. */
function rawStatus(path: string, headers: Readonly<Record<string, string>>, method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end(method === "POST" ? "{}" : undefined);
  });
}

test("the pages come once they are built, compressed, with a strict policy; what changes never is cached for good", async () => {
  await until("the pages are there", async () => (await fetch(`${url}/`)).status === 200);
  const page = await fetch(`${url}/blocks/1`, { headers: { accept: "text/html" } });
  const html = await page.text();
  assert.match(page.headers.get("content-security-policy")!, /default-src 'none'; script-src 'self'/);
  assert.equal(page.headers.get("cache-control"), "no-cache");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)![1]!;
  const asset = await fetch(`${url}${script}`, { headers: { "accept-encoding": "br" } });
  assert.equal(asset.headers.get("content-encoding"), "br");
  assert.match(asset.headers.get("cache-control")!, /immutable/);
  const again = await fetch(`${url}${script}`, { headers: { "if-none-match": asset.headers.get("etag")! } });
  assert.equal(again.status, 304);
  assert.equal(await rawStatus("/../../package.json", {}), 404);
  assert.equal(await rawStatus("/assets/..%2f..%2f..%2fpackage.json", {}), 404);
});

test("foreign names, and pages of other origins, are refused; the index may be read from anywhere", async () => {
  const json = { "content-type": "application/json" };
  assert.equal(await rawStatus("/", { host: "rebound.example" }), 403);
  assert.equal(await rawStatus("/rpc/0", { ...json, origin: "https://evil.example" }, "POST"), 403);
  assert.equal(
    await rawStatus("/api/v1/verification", { ...json, origin: "https://evil.example" }, "POST"),
    403,
  );
  assert.equal(await rawStatus("/rpc/0", { "content-type": "text/plain" }, "POST"), 415);
  assert.equal(await rawStatus("/rpc/9", json, "POST"), 404);
  const read = await fetch(`${url}/api/v1/blocks`, { headers: { origin: "https://other.example" } });
  assert.equal(read.headers.get("access-control-allow-origin"), "*");
});

test("console.json names the nodes, and each one's JSON-RPC is on this origin, by HTTP and by WebSocket", async () => {
  const told = (await (await fetch(`${url}/console.json`)).json()) as {
    readonly chainId: number;
    readonly nodes: readonly { readonly path: string }[];
    readonly services: { readonly index: boolean };
  };
  assert.deepEqual([told.chainId, told.nodes.length, told.services.index], [CHAIN_ID, 4, true]);
  for (const { path } of told.nodes) {
    const client = createPublicClient({ transport: http(`${url}${path}`) });
    assert.equal(await client.getChainId(), CHAIN_ID);
  }
  const socket = new WebSocket(`${url.replace("http", "ws")}/rpc/1`, { origin: url });
  socket.on("open", () =>
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] })),
  );
  const messages: string[] = [];
  socket.on("message", (data) => messages.push(String(data)));
  await until("news of a block", async () => messages.some((text) => text.includes("parentHash")));
  socket.terminate();
});

test("what only this machine's programs may call stays closed to who comes through the console", async () => {
  const client = createPublicClient({ transport: http(`${url}/rpc/0`) });
  await assert.rejects(
    client.request({ method: "admin_addPeer" as "eth_chainId", params: ["x"] as unknown as undefined }),
  );
});

/** Runs Hardhat's own program in a project. */
function hardhat(
  project: string,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [HARDHAT, ...args], {
      cwd: project,
      env: { ...process.env, NO_COLOR: "1", HARDHAT_DISABLE_TELEMETRY_PROMPT: "true", CI: "true" },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
      });
    child.once("close", (code) => resolve({ code: code ?? 1, said }));
  });
}

function makeProject(): string {
  const project = join(folder, "project");
  mkdirSync(join(project, "contracts"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", type: "module" }));
  writeFileSync(join(project, "contracts/Box.sol"), SOURCE);
  const explorerOf = (api: string): object => ({ name: "Ostrom", url, apiUrl: `${url}${api}` });
  const config = {
    solidity: { version: "0.8.37", path: join(ROOT, "node_modules/solc/soljson.js") },
    networks: { ostrom: { type: "http", url: network.urls[0] } },
    chainDescriptors: {
      [CHAIN_ID]: {
        name: "ostrom",
        chainType: "generic",
        blockExplorers: { etherscan: explorerOf("/v2/api"), blockscout: explorerOf("/api") },
      },
    },
    verify: {
      etherscan: { apiKey: "any" },
      blockscout: { enabled: true },
      sourcify: { enabled: true, apiUrl: `${url}/api/sourcify` },
    },
  };
  writeFileSync(
    join(project, "hardhat.config.ts"),
    `import verify from "@nomicfoundation/hardhat-verify";\nexport default { plugins: [verify], ...${JSON.stringify(config)} };\n`,
  );
  return project;
}

async function deployBox(project: string, first: bigint): Promise<Hex> {
  const artifact = JSON.parse(
    readFileSync(join(project, "artifacts/contracts/Box.sol/Box.json"), "utf8"),
  ) as { readonly abi: Abi; readonly bytecode: Hex };
  const transport = http(network.urls[0]);
  const wallet = createWalletClient({ account: ALICE, transport });
  const data = encodeDeployData({
    abi: artifact.abi,
    bytecode: artifact.bytecode,
    args: [first],
  });
  const hash = await wallet.sendTransaction({ data, chain: null });
  const receipt = await createPublicClient({ transport, pollingInterval: 100 }).waitForTransactionReceipt({
    hash,
  });
  const address = receipt.contractAddress!;
  await until(
    "the contract is in the index",
    async () => (await fetch(`${url}/api/v1/contracts/${address}`)).ok,
  );
  return address;
}

test("hardhat verify: as Etherscan, as Blockscout and as Sourcify", { timeout: WAIT_MS * 3 }, async () => {
  const project = makeProject();
  const built = await hardhat(project, "build", "--build-profile", "production");
  assert.equal(built.code, 0, built.said);
  const providers = ["etherscan", "blockscout", "sourcify"] as const;
  for (const [index, provider] of providers.entries()) {
    const address = await deployBox(project, BigInt(index + 1));
    const { code, said } = await hardhat(
      project,
      "verify",
      provider,
      "--network",
      "ostrom",
      "--build-profile",
      "production",
      address,
      String(index + 1),
    );
    assert.equal(code, 0, `${provider}: ${said}`);
    const source = (await (await fetch(`${url}/api/v1/contracts/${address}/source`)).json()) as {
      readonly match: string;
      readonly name: string;
    };
    assert.deepEqual([source.match, source.name], ["full", "Box"]);
  }
  const address = await deployBox(project, 9n);
  const wrong = await hardhat(
    project,
    "verify",
    "etherscan",
    "--network",
    "ostrom",
    "--build-profile",
    "production",
    address,
    "8",
  );
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.said, /correct constructor argument/);
});

test("a console that dies is there again, at the same address; the nodes go on", async () => {
  const died = explorer.pid()!;
  process.kill(died, "SIGKILL");
  await until("the console is there again", async () => {
    const pid = explorer.pid();
    if (pid === undefined || pid === died) return false;
    return (await fetch(`${url}/console.json`).catch(() => undefined))?.ok === true;
  });
  network.assertAgreement();
});
