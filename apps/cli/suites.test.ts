import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SUITES, type SuiteName } from "@ostrom/execution";
import { runDemo } from "../../examples/demo/run-demo.ts";
import type { DemoStep } from "../../examples/demo/steps.ts";
import { AgreementChecker } from "./testing/agreement.ts";
import {
  type CliProcess,
  isRunning,
  type ReadyEvent,
  runCli,
  startCli,
  startUp,
} from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { signTransfers, submit } from "./testing/load.ts";
import { Sender } from "./testing/sender.ts";
import { blockHashes, blockNumber, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const VALIDATORS = 4;
const QUORUM = 3;
const ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const root = mkdtempSync(join(tmpdir(), "ostrom-suites-"));
const everStarted = new Set<number>();

after(() => {
  for (const pid of everStarted) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

type Network = { readonly up: CliProcess; readonly ready: ReadyEvent; readonly folder: string };

async function start(suite: SuiteName, validators: number, extra: readonly string[] = []): Promise<Network> {
  const folder = mkdtempSync(join(root, `${suite}-`));
  const [port, linkPort] = (await findFreePorts(validators, 2)) as [number, number];
  const { up, ready } = await startUp([
    ...["--data-dir", folder, "--port", String(port), "--link-port", String(linkPort)],
    ...["--validators", String(validators), "--suite", suite, ...extra],
  ]);
  for (const { pid } of ready.nodes) everStarted.add(pid);
  return { up, ready, folder };
}

async function stop({ up }: Network): Promise<void> {
  up.process.kill("SIGINT");
  const { code, stderr } = await up.ended;
  assert.deepEqual([code, stderr], [0, ""]);
}

/** All nodes have the same blocks, up to one that all have finalized. */
async function assertAgreement(nodes: ReadyEvent["nodes"]): Promise<void> {
  const heights = await Promise.all(nodes.map(({ rpc }) => blockNumber(rpc, "finalized")));
  const agreement = new AgreementChecker();
  for (const { rpc, name } of nodes) {
    (await blockHashes(rpc, 0, Math.min(...heights))).forEach((hash, height) => {
      agreement.addBlock(height, String(hash), name);
    });
  }
  agreement.assertAgreement();
}

for (const suite of ["sm", "post-quantum"] as const) {
  test(`a network of suite ${suite}: status, send, the demonstration, and a validator that is killed and comes back`, async () => {
    const network = await start(suite, VALIDATORS);
    const { ready, folder } = network;
    const [first] = ready.nodes;
    const rpc = first!.rpc;
    assert.equal(ready.suite, suite);
    assert.equal(ready.keys[0]?.scheme, SUITES[suite].accounts[0]);

    const genesis = join(folder, "validator-1/genesis.json");
    const { validators, suite: written } = JSON.parse(readFileSync(genesis, "utf8"));
    assert.deepEqual(written, SUITES[suite]);
    assert.equal(validators.length, VALIDATORS);

    const sent = await runCli([
      "send",
      "--rpc",
      rpc,
      "--to",
      ready.keys[1]!.address,
      "--value",
      "1.5",
      "--json",
    ]);
    assert.equal(JSON.parse(sent.stdout).status, "success", sent.stderr);

    // An account of the suite's own kind.
    const own = ready.keys[0]!;
    const signed = await runCli(
      ["send", "--rpc", rpc, "--to", ready.accounts[3]!.address, "--value", "2", "--json"],
      { environment: { OSTROM_PRIVATE_KEY: `${own.scheme}:${own.secretKey}` } },
    );
    assert.equal(JSON.parse(signed.stdout).status, "success", signed.stderr);

    const steps: DemoStep[] = [];
    const [owner, friend] = ready.accounts;
    await runDemo(rpc, [owner!.secretKey, friend!.secretKey], (step) => steps.push(step));
    assert.deepEqual(
      steps.map(({ tool }) => tool),
      ["viem", "viem", "viem", "viem", "ethers", "ethers", "ethers", "ethers", "proof"],
    );

    const checkpoint = await runCli(["checkpoint", "--rpc", rpc, "--genesis", genesis]);
    assert.match(checkpoint.stdout, /^ostrom-checkpoint-1:[0-9a-f:]+\n$/, checkpoint.stderr);

    const last = ready.nodes.at(-1)!;
    process.kill(last.pid, "SIGKILL");
    const others = ready.nodes.slice(0, QUORUM).map((node) => node.rpc);
    const sender = new Sender(5);
    await sender.finalize(others, 3);
    const again = startCli(["run", "--data-dir", join(folder, last.name), "--json"]);
    everStarted.add(again.process.pid!);
    await waitUntil(`${last.name} answers again`, LONG_WAIT_MS, () =>
      blockNumber(last.rpc, "latest").then(
        () => true,
        () => false,
      ),
    );
    await sender.finalize([...others, last.rpc], 3);
    await assertAgreement(ready.nodes);

    const status = await runCli(["status", "--data-dir", folder]);
    assert.match(status.stdout, /All 4 agree on the chain/, status.stderr);
    again.process.kill("SIGINT");
    assert.equal((await again.ended).code, 0);
    await stop(network);
  });
}

test("a chain of suite sm alone refuses what secp256k1 has signed, and takes what SM2 has", async () => {
  const network = await start("sm", 1, ["--sm-only"]);
  const { ready } = network;
  assert.deepEqual(ready.accounts, []);
  const [from, to] = ready.keys;
  const rpc = ready.nodes[0]!.rpc;
  assert.match(String(await submit(rpc, signTransfers(0, 0, 1))), /secp256k1/);
  const send = ["send", "--rpc", rpc, "--to", to!.address, "--value", "1", "--json"];
  const taken = await runCli(send, { environment: { OSTROM_PRIVATE_KEY: `sm2:${from!.secretKey}` } });
  assert.equal(JSON.parse(taken.stdout).status, "success", taken.stderr);
  await stop(network);
});

test("a network is resumed with the suite that it was made with; other words are refused, and what a suite cannot have", async () => {
  const folder = join(root, "refused");
  const refusals: readonly (readonly [args: readonly string[], pattern: RegExp, exitCode?: number])[] = [
    [["up", "--suite", "gost"], /--suite: expected one of ethereum, sm, post-quantum/, 2],
    [["up", "--sm-only"], /--sm-only: belongs to --suite sm/],
    [["up", "--accounts", "sm2,rsa"], /--accounts: .* found "rsa"/],
    [["up", "--suite", "post-quantum", "--profile", "public"], /ECVRF/],
    [["up", "--suite", "sm", "--profile", "public"], /stakers vote by bls12-381/],
    [["up", "--suite", "sm", "--sm-only", "--profile", "alliance"], /secp256k1/],
    [
      [
        "keys",
        "create",
        "--suite",
        "none",
        "--out",
        folder,
        "--name",
        "a",
        "--host",
        "h",
        "--account",
        ADDRESS,
      ],
      /--suite/,
      2,
    ],
    [["init", "--chain-id", "5", "--suite", "post-quantum", "--profile", "public", "--out", folder], /ECVRF/],
  ];
  for (const [args, pattern, exitCode = 1] of refusals) {
    const where = args[0] === "up" ? ["--data-dir", folder] : [];
    const { code, stderr } = await runCli([...args, ...where]);
    assert.equal(code, exitCode, args.join(" "));
    assert.match(stderr, /^ostrom [a-z]+: [^\n]+\n$/);
    assert.match(stderr, pattern);
  }
});
