import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createTopology } from "./topology.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const MAX_STALL_MS = 10_000;
/** Several hand-overs between epochs come amid the faults. */
const EPOCH_LENGTH = "20";

type Answer = {
  readonly hosts: "passed" | "failed" | "skipped";
  readonly reason?: string;
  readonly longestStallMs: number;
  readonly comparedBlocks: number;
  readonly epochs: number;
  readonly transfers: { readonly sent: number; readonly finalized: number };
  readonly faults: readonly { readonly fault: string; readonly blocks: number }[];
  readonly packets: { readonly lost: number; readonly cutOff: number };
};

type Run = { readonly pid: number; readonly code: number | null; readonly output: string };

/** @param onOutput may send it a signal. */
function runHosts(
  args: readonly string[],
  onOutput: (output: string, signal: (name: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Run> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const hear = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
    onOutput(output, (name) => child.kill(name));
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ pid: child.pid!, code, output }));
  });
}

/** @returns its last line, or undefined if this machine cannot do it: then the test is skipped, and says why. */
function answerOf(run: Run, context: TestContext): Answer | undefined {
  const answer = JSON.parse(run.output.trimEnd().split("\n").at(-1)!) as Answer;
  if (answer.hosts !== "skipped") return answer;
  console.log(`skipped: validators in network namespaces: ${answer.reason}`);
  context.skip(answer.reason);
  return undefined;
}

function namespacesOf(run: Run): readonly string[] {
  const { prefix } = createTopology(run.pid, 0);
  return readdirSync("/run/netns").filter((name) => name.startsWith(prefix));
}

test("seven validators with latency and loss between them go on through a partition, restarts and epochs, and agree", async (context) => {
  const run = await runHosts(["--quick", "--epoch-length", EPOCH_LENGTH]);
  const answer = answerOf(run, context);
  if (answer === undefined) return;
  assert.equal(answer.hosts, "passed", run.output);
  assert.equal(run.code, 0);
  assert.equal(answer.longestStallMs <= MAX_STALL_MS, true);
  assert.equal(answer.transfers.sent > 0 && answer.transfers.finalized === answer.transfers.sent, true);
  assert.equal(answer.epochs > 1 && answer.comparedBlocks > 0, true);
  // A fault that did not happen proves nothing.
  assert.equal(answer.packets.lost > 0 && answer.packets.cutOff > 0, true);
  for (const { fault, blocks } of answer.faults) assert.equal(blocks > 0, true, fault);
  assert.deepEqual(namespacesOf(run), []);
});

test("a run that is interrupted leaves nothing behind", async (context) => {
  let isSignalled = false;
  const run = await runHosts(["--quick", "--validators", "4"], (output, signal) => {
    if (isSignalled || !output.includes("none, under load")) return;
    isSignalled = true;
    signal("SIGINT");
  });
  const answer = answerOf(run, context);
  if (answer === undefined) return;
  assert.equal(answer.hosts, "failed");
  assert.equal(answer.reason, "the run was ended");
  assert.equal(run.code, 1);
  assert.deepEqual(namespacesOf(run), []);
});
