import type { Bytes } from "@ostrom/base";
import type { ProgramVerdict } from "../contract-host/types.ts";
import { readContractOnce } from "./read-program.ts";

/** Whether a module may be deployed as a contract: see README.md, "Which modules are accepted". */
export function validateWebAssembly(bytes: Bytes): ProgramVerdict {
  const contract = readContractOnce(bytes);
  return contract.ok ? { ok: true } : { ok: false, reason: contract.error };
}
