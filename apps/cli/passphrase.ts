import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { readSecretFile } from "@ostrom/storage";
import { type Flag, UsageError } from "./command.ts";

const PASSPHRASE_VARIABLE = "OSTROM_PASSPHRASE";

export const PASSPHRASE_FLAGS: readonly Flag[] = [
  {
    name: "passphrase-file",
    kind: "text",
    placeholder: "FILE",
    help: `file with the keystore's passphrase (else ${PASSPHRASE_VARIABLE}, else you are asked)`,
  },
];

/** A passphrase from a file, the environment, or the person at the terminal. It is never taken from the command line, which other users of
 * the machine can read.
 * @param file what the flag says. @param question what a person is asked. @param isNew it is asked for twice.
 * @throws UsageError. */
export async function readPassphrase(file: unknown, question: string, isNew: boolean): Promise<string> {
  if (typeof file === "string") return checked(await readFromFile(file), file);
  const fromEnvironment = process.env[PASSPHRASE_VARIABLE];
  if (fromEnvironment !== undefined) return checked(fromEnvironment, PASSPHRASE_VARIABLE);
  if (process.stdin.isTTY !== true)
    throw new UsageError(
      `${question}: nobody is there to ask; give --passphrase-file FILE or set ${PASSPHRASE_VARIABLE}`,
    );
  const given = checked(await askHidden(`${question}: `), "the passphrase");
  if (isNew && (await askHidden("Once more: ")) !== given) throw new UsageError("the two are not the same");
  return given;
}

async function readFromFile(file: string): Promise<string> {
  try {
    return (await readSecretFile(file)).replace(/\r?\n$/, "");
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function checked(passphrase: string, where: string): string {
  if (passphrase === "") throw new UsageError(`${where} is empty: an empty passphrase protects nothing`);
  return passphrase;
}

/** Asks without showing what is typed. */
async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await terminal.question("");
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}
