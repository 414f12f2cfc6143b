import { runOstrom } from "../ostrom.ts";
import type { Ended } from "./cli-process.ts";

/** Runs a command that starts nothing, in this process: a tenth of the time. What it prints is caught. Not two at a time. */
export async function runInProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Pick<Ended, "code" | "stdout" | "stderr">> {
  let stdout = "";
  let stderr = "";
  const { log, error } = console;
  const before = { ...process.env };
  Object.assign(process.env, environment);
  console.log = (text: unknown) => {
    stdout += `${String(text)}\n`;
  };
  console.error = (text: unknown) => {
    stderr += `${String(text)}\n`;
  };
  try {
    const code = await runOstrom(args, { main: "", modules: [] });
    return { code, stdout, stderr };
  } finally {
    Object.assign(console, { log, error });
    for (const name of Object.keys(environment)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
