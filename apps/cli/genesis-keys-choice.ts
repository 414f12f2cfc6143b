import type { GenesisKeys } from "@ostrom/execution";
import { type CommandInput, type Flag, readList, UsageError } from "./command.ts";
import { readPublicKey } from "./key-set-flags.ts";
import { KEYSTORE_FLAGS } from "./keystore-files.ts";

/** What a new chain says of the keys of its accounts. */
export const GENESIS_KEYS_FLAGS: readonly Flag[] = [
  {
    name: "breaker",
    kind: "list",
    placeholder: "NAME",
    help: "post-quantum key that may declare curves broken: keystore, or KIND:HEX; repeat",
  },
  { name: "break-threshold", kind: "number", help: "how many breakers must sign that (default: all)" },
  {
    name: "key-timelock",
    kind: "number",
    help: "seconds that changes of accounts' keys wait (default: the profile's)",
  },
  ...KEYSTORE_FLAGS.filter(({ name }) => name === "keystore"),
];

/** @returns only what was said: the profile says the rest. @throws UsageError. */
export function readGenesisKeys({ values }: CommandInput): Partial<GenesisKeys> {
  const breakers = readList(values["breaker"]).map((name) => readPublicKey(name, values, "--breaker"));
  const threshold = values["breakThreshold"] as number | undefined;
  const timelock = values["keyTimelock"] as number | undefined;
  if (threshold !== undefined && (threshold < 1 || threshold > breakers.length))
    throw new UsageError(`--break-threshold: expected 1 to ${breakers.length}, the number of breakers`);
  return {
    ...(breakers.length === 0 ? {} : { breakers, breakThreshold: threshold ?? breakers.length }),
    ...(timelock === undefined ? {} : { timelockMinimum: timelock }),
  };
}
