import { fromHex, Hash, unwrap } from "@ostrom/base";
import { importServiceModules } from "@ostrom/runtime";
import { type CommandInput, UsageError } from "./command.ts";
import { readModuleOptions } from "./network-profile.ts";
import type { Program } from "./program.ts";
import { ask } from "./rpc-client.ts";

/** What a module begins with on a chain that runs. @throws UsageError. */
export async function settingsOf(name: string, input: CommandInput, program: Program): Promise<Uint8Array> {
  const options = readModuleOptions(input);
  const foreign = [...options.keys()].find((module) => module !== name);
  if (foreign !== undefined) throw new UsageError(`--set: this is about the module ${name}, not ${foreign}`);
  const service = (await importServiceModules(program.modules)).find((module) => module.name === name);
  const chosen = options.get(name) ?? {};
  if (service?.settings === undefined) {
    if (Object.keys(chosen).length > 0) throw new UsageError(`--set: module ${name} has no settings`);
    return new Uint8Array();
  }
  const rpc = String(input.values["rpc"]);
  const chainId = BigInt(await ask<string>(rpc, "eth_chainId"));
  const { hash } = await ask<{ readonly hash: string }>(rpc, "eth_getBlockByNumber", ["0x0", false]);
  const genesisHash = Hash(unwrap(fromHex(hash)));
  const made = service.settings({ chainId, genesisHash, validators: [], options: chosen });
  if (!made.ok) throw new UsageError(made.error.message);
  if ((made.value.balances ?? []).length > 0)
    throw new UsageError(
      `module ${name} asks for coins that only a genesis can make: choose other settings (--set)`,
    );
  return made.value.settings;
}
