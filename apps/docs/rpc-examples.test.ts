import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { MODULES } from "@ostrom/modules";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { askMany } from "../cli/rpc-client.ts";
import { Sender } from "../cli/testing/sender.ts";
import { createTestNetwork, type TestNetwork } from "../cli/testing/test-network.ts";
import { describedMethods, EXAMPLES_FILE, type RpcExample, readExamples } from "./rpc-reference.ts";
import { exampleParameters, findStandIns } from "./testing/rpc-questions.ts";

/** Longer texts of an example say nothing more. */
const MAX_TEXT = 140;
const MAX_ENTRIES = 2;
const OF_MODULES = new RegExp(`^(?:${MODULES.map(({ name }) => name).join("|")})_`);
/** Where nodes are on real machines. */
const SHOWN_FOLDER = "/var/lib/ostrom";

let network: TestNetwork;
let url: string;

before(async () => {
  network = await createTestNetwork({ validators: 1 });
  await network.startAll();
  url = network.urls[0]!;
  await new Sender(1).finalize([url], 1);
});
after(() => network.dispose());

/** What a reader wants to see of an answer: long texts and lists cut. */
function shortened(value: unknown): unknown {
  if (typeof value === "string") {
    const shown = value.replaceAll(network.directory, SHOWN_FOLDER);
    return shown.length <= MAX_TEXT ? shown : `${shown.slice(0, MAX_TEXT)}...`;
  }
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, shortened(entry)]));
}

/** Its kind, and the keys of an object: what does not differ from chain to chain. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return "array";
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return Object.keys(value).sort();
}

async function answer(): Promise<readonly RpcExample[]> {
  const [, account] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);
  const standIns = await findStandIns(url, account!.address.toLowerCase());
  const examples: RpcExample[] = [];
  for (const description of await describedMethods()) {
    const method = description.name;
    // Methods of modules are there where the chain has the module.
    if (OF_MODULES.test(method)) continue;
    const params = exampleParameters(description, standIns);
    const [given] = await askMany(url, [{ method, params }]);
    const { result, error } = given!;
    examples.push(
      error === undefined
        ? { method, params: shortened(params) as readonly unknown[], result: shortened(result) }
        : {
            method,
            params: shortened(params) as readonly unknown[],
            error: { code: error.code, message: error.message },
          },
    );
  }
  return examples;
}

test("a real node answers each example of the reference as it is shown there", async () => {
  const answered = await answer();
  if (process.env["OSTROM_RECORD"] !== undefined)
    writeFileSync(EXAMPLES_FILE, `${JSON.stringify(answered, undefined, 1)}\n`);
  const recorded = new Map(readExamples().map((example) => [example.method, example]));
  const different = answered.flatMap(({ method, result, error }) => {
    const shown = recorded.get(method);
    const isSame =
      shown !== undefined &&
      shown.error?.code === error?.code &&
      JSON.stringify(shapeOf(shown.result ?? null)) === JSON.stringify(shapeOf(result ?? null));
    return isSame ? [] : [`${method}: ${JSON.stringify(error ?? shapeOf(result))}`];
  });
  const gone = [...recorded.keys()].filter(
    (method) => !answered.some((example) => example.method === method),
  );
  assert.deepEqual([...different, ...gone], [], "record them anew: OSTROM_RECORD=1");
});
