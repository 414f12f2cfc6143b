import type { ModuleCommand, ModuleManifest } from "@ostrom/runtime";
import type { Command } from "./command.ts";
import { didYouMean } from "./spelling.ts";
import { styled } from "./text-style.ts";

/** What the words after a module's name say. */
export type FoundModuleCommand = {
  /** undefined: they name none. */
  readonly command: Command | undefined;
  /** The words after the command's name. */
  readonly rest: readonly string[];
  /** What the module has, for people. */
  readonly help: string;
  /** What is wrong where they name none, without where to look. */
  readonly refusal: string;
};

/** Finds the command of `ostrom MODULE NAME ...`. */
export async function findModuleCommand(
  manifest: ModuleManifest,
  words: readonly string[],
): Promise<FoundModuleCommand> {
  const commands = await loadCommands(manifest);
  const [name, ...rest] = words;
  const found = commands.find((command) => command.name === name);
  const { commandOfModule } = await import("./module-terminal.ts");
  const problem =
    name === undefined || name.startsWith("-")
      ? "say which command"
      : `there is no command "${name}"${didYouMean(
          name,
          commands.map((command) => command.name),
        )}`;
  return {
    command: found === undefined ? undefined : commandOfModule(manifest.name, found),
    rest,
    help: describeModule(manifest, commands),
    refusal: problem,
  };
}

/** Lines for `ostrom --help`: what each module adds. @param width of the names' column. */
export async function describeModuleCommands(
  manifests: readonly ModuleManifest[],
  width: number,
): Promise<readonly string[]> {
  const counted = await Promise.all(
    manifests.map(async (manifest) => ({ manifest, count: (await loadCommands(manifest)).length })),
  );
  const lines = counted
    .filter(({ count }) => count > 0)
    .map(({ manifest: { name, summary }, count }) => {
      const commands = count === 1 ? "1 command" : `${count} commands`;
      return `  ${name.padEnd(width)}${summary} (${commands})`;
    });
  const first = counted.find(({ count }) => count > 0)?.manifest.name;
  if (first === undefined) return [];
  return [styled("strong", `Modules (ostrom help ${first} lists its commands):`), ...lines, ""];
}

function describeModule(manifest: ModuleManifest, commands: readonly ModuleCommand[]): string {
  return [
    `ostrom ${manifest.name}: ${manifest.summary}`,
    "",
    `Usage: ostrom ${manifest.name} COMMAND [flags]`,
    "",
    ...commandLines(manifest, commands),
    "",
    styled("strong", "Examples:"),
    ...commands.flatMap(({ examples }) => examples.slice(0, 1)).map((example) => `  ${example}`),
    "",
    `All about one of them: ostrom help ${manifest.name} COMMAND`,
  ].join("\n");
}

function commandLines({ name }: ModuleManifest, commands: readonly ModuleCommand[]): readonly string[] {
  const width = Math.max(0, ...commands.map((command) => `${name} ${command.name}`.length)) + 2;
  return commands.map((command) => `  ${`${name} ${command.name}`.padEnd(width)}${command.summary}`);
}

/** The commands of all modules, under the words that name them: "staking bond". */
export async function listModuleCommands(
  manifests: readonly ModuleManifest[],
): Promise<readonly { readonly module: ModuleManifest; readonly commands: readonly Command[] }[]> {
  const { commandOfModule } = await import("./module-terminal.ts");
  return Promise.all(
    manifests.map(async (module) => ({
      module,
      commands: (await loadCommands(module)).map((command) => commandOfModule(module.name, command)),
    })),
  );
}

async function loadCommands(manifest: ModuleManifest): Promise<readonly ModuleCommand[]> {
  if (manifest.service === undefined) return [];
  const { importServiceModule } = await import("@ostrom/runtime");
  return (await importServiceModule(manifest.name, manifest.service)).commands ?? [];
}
