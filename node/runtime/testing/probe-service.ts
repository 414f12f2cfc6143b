import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ok, toHexDigits, utf8 } from "@ostrom/base";
import { LATEST, optional, parameterTypes, required } from "@ostrom/rpc";
import type { ModuleMethod, ServiceContext, ServiceModule } from "../module-face.ts";
import { defineModuleMethod } from "../module-rpc.ts";
import { PROBE } from "./probe-module.ts";

const versionAt: ModuleMethod = defineModuleMethod({
  name: "probe_versionAt",
  summary: "Which version ran in a block.",
  parameters: [required("height", parameterTypes.count), optional("block", parameterTypes.block, LATEST)],
  returns: "number",
  run: ({ withState }, height, block) =>
    withState(block, (state) => Number(state.storage(PROBE, BigInt(height)))),
});

/** Dies in its first life; in the second it writes down what it has been given, and waits for the end. */
async function service(context: ServiceContext): Promise<void> {
  const died = join(context.folder, "died");
  if (!existsSync(died)) {
    writeFileSync(died, "");
    throw new Error("its first life is over");
  }
  const answer = await fetch(context.rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
  });
  const { result } = (await answer.json()) as { readonly result: string };
  const secret = context.readSecret("probe");
  const seen = { chainId: result, secret: secret === undefined ? undefined : toHexDigits(secret) };
  writeFileSync(join(context.folder, "seen.json"), JSON.stringify(seen));
  context.log("info", "the probe runs");
  const { promise, resolve } = Promise.withResolvers<void>();
  context.signal.addEventListener("abort", () => resolve());
  await promise;
}

export const serviceModule: ServiceModule = {
  name: "probe",
  rpc: [versionAt],
  service,
  keys: [
    {
      name: "probe",
      summary: "of no use",
      create: (entropy) => entropy(32),
      publicPart: (secret) => secret.subarray(0, 4),
    },
  ],
  commands: [
    {
      name: "version-at",
      summary: "which version ran in a block",
      usage: "HEIGHT",
      maxPositionals: 1,
      signs: false,
      flags: [],
      examples: ["ostrom probe version-at 12"],
      run: async ({ positionals }, terminal) => {
        const height = `0x${Number(positionals[0]).toString(16)}`;
        terminal.print(String(await terminal.ask("probe_versionAt", [height])));
        return 0;
      },
    },
  ],
  settings: ({ options }) => {
    const { word = "", ...others } = options;
    return Object.keys(others).length === 0
      ? ok({ settings: utf8(word) })
      : fail("probe/unknown-setting", `the probe has no setting ${Object.keys(others)[0]}`);
  },
};
