import type { SignatureCheck } from "@ostrom/execution";
import { readChoice } from "./choice.ts";
import { type CommandInput, type Flag, UsageError } from "./command.ts";

const CHOICES: readonly SignatureCheck[] = ["all", "minority"];

/** Profiles of chains that anybody may have to trust. */
const STRICT_PROFILES: readonly unknown[] = ["public", "cbdc"];

/** The flag of commands that make genesis. */
export const SIGNATURE_CHECK_FLAG: Flag = {
  name: "signature-check",
  kind: "text",
  placeholder: "WHO",
  help: "who checks signatures in batches: all, or minority (so many that one is honest)",
  default: "all",
  choices: CHOICES,
};

/** @returns undefined for what genesis means if it says nothing. @throws UsageError */
export function readSignatureCheck({ values }: CommandInput): SignatureCheck | undefined {
  const found = readChoice("--signature-check", values["signatureCheck"], CHOICES);
  if (found === "all") return undefined;
  if (values["consensus"] === "pow")
    throw new UsageError("--signature-check minority: where blocks are mined there are no batches");
  if (STRICT_PROFILES.includes(values["profile"]))
    throw new UsageError(
      `--signature-check minority: on a chain of profile ${String(values["profile"])} every validator checks every signature; it is a choice of consortia`,
    );
  return found;
}
