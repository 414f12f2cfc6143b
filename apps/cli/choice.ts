import { UsageError } from "./command.ts";
import { EXIT } from "./failure-line.ts";
import { didYouMean } from "./spelling.ts";

/** What a flag was given, where only some words are right. @param flag with its dashes.
 * @throws UsageError that names all of them, and the one that may have been meant. */
export function readChoice<T extends string>(flag: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const text = String(value);
  const message = `${flag}: expected one of ${choices.join(", ")}, found "${text}"${didYouMean(text, choices)}`;
  throw new UsageError(message, { code: "usage", exitCode: EXIT.usage });
}
