import { existsSync } from "node:fs";
import { fromHex } from "@ostrom/base";
import type { AccountKey } from "@ostrom/execution";
import {
  type AccountSigner,
  type KeySetPlan,
  keyPairSigner,
  type SignedPlan,
  schemeOfName,
} from "@ostrom/sdk";
import { type CommandInput, type Flag, readList, UsageError } from "./command.ts";
import { findKeystore, keystoreFolder } from "./keystore-files.ts";
import { readKeys, SIGNER_FLAGS } from "./signing-key.ts";

/** Flags of `ostrom account keys | enroll | rotate | apply | cancel | protect`, beside those of the command. */
export const KEY_SET_FLAGS: readonly Flag[] = [
  {
    name: "new",
    kind: "list",
    placeholder: "NAME",
    help: "enroll, rotate: keystore or key file of keys to have; repeat",
  },
  { name: "keep", kind: "switch", help: "enroll, rotate: the keys that sign this stay" },
  { name: "timelock", kind: "number", help: "enroll, rotate: seconds that later changes wait" },
  {
    name: "guardian",
    kind: "text",
    placeholder: "NAME",
    help: "enroll, rotate: key that may cancel changes: keystore, KIND:HEX, none; cancel: by it",
  },
  {
    name: "approve-with",
    kind: "text",
    placeholder: "NAME",
    help: "rotate: the guardian's keystore, if it must approve",
  },
  {
    name: "commit",
    kind: "text",
    placeholder: "NAME",
    help: "protect: the post-quantum key: keystore, or KIND:HEX of its public key",
  },
  {
    name: "committed",
    kind: "text",
    placeholder: "NAME",
    help: "protect: keystore of the key committed to before, to replace it",
  },
  ...SIGNER_FLAGS,
];

const NO_GUARDIAN = "none";

/** What holds of a change where the flags say nothing. */
export type PlanDefaults = {
  /** The chain's shortest timelock. */
  readonly least: number;
  /** What the account has now. */
  readonly present: Pick<KeySetPlan, "timelockSeconds" | "guardian"> | undefined;
};

/** The keys that an account is to have, by --new, --keep, --threshold, --timelock and --guardian.
 * @param kept who signs the change, for --keep. @throws UsageError. */
export async function readPlan(
  { values }: CommandInput,
  kept: readonly AccountSigner[],
  { least, present }: PlanDefaults,
): Promise<SignedPlan> {
  const rings = [];
  for (const name of readList(values["new"])) rings.push(await readKeys(name, values));
  const old = values["keep"] === true ? kept : [];
  const signers = [...old, ...rings.flatMap(({ keys }) => keys.map(keyPairSigner))];
  if (signers.length === 0)
    throw new UsageError("say which keys the account is to have: --new NAME, or --keep");
  const only = rings.length === 1 && old.length === 0 ? rings[0] : undefined;
  const threshold = (values["threshold"] as number | undefined) ?? only?.threshold ?? signers.length;
  if (threshold < 1 || threshold > signers.length)
    throw new UsageError(`--threshold: expected 1 to ${signers.length}, the number of keys`);
  const timelockSeconds = (values["timelock"] as number | undefined) ?? present?.timelockSeconds ?? least;
  if (timelockSeconds < least)
    throw new UsageError(`--timelock: on this chain changes wait ${least} s at least`);
  return { signers, threshold, timelockSeconds, guardian: guardianOf(values, present?.guardian) };
}

function guardianOf(values: CommandInput["values"], present: AccountKey | undefined): AccountKey | undefined {
  const named = values["guardian"];
  if (named === undefined) return present;
  return named === NO_GUARDIAN ? undefined : readPublicKey(String(named), values, "--guardian");
}

/** One key that signs, of a keystore or key file. @throws UsageError. */
export async function readOneSigner(
  name: unknown,
  { values }: CommandInput,
  flag: string,
): Promise<AccountSigner> {
  if (typeof name !== "string") throw new UsageError(`say whose key it is: ${flag} NAME`);
  const { keys } = await readKeys(name, values);
  const [only] = keys;
  if (only === undefined || keys.length > 1)
    throw new UsageError(`${flag}: ${name} has ${keys.length} keys; expected one`);
  return keyPairSigner(only);
}

/** A public key: KIND:HEX, or that of a keystore, which need not be opened. @throws UsageError. */
export function readPublicKey(text: string, values: CommandInput["values"], flag: string): AccountKey {
  const at = text.indexOf(":");
  if (at > 0 && !existsSync(text)) {
    const scheme = schemeOfName(text.slice(0, at));
    const publicKey = fromHex(text.slice(at + 1));
    if (scheme === undefined || !publicKey.ok || publicKey.value.length !== scheme.publicKeyLength)
      throw new UsageError(`${flag}: expected KIND:HEX of a public key, or a keystore`);
    return { schemeId: scheme.id, publicKey: publicKey.value };
  }
  const { face, path } = findKeystore(text, keystoreFolder(values));
  const [only] = face.keys;
  const scheme = only === undefined ? undefined : schemeOfName(only.scheme);
  if (only === undefined || scheme === undefined || face.keys.length > 1)
    throw new UsageError(`${flag}: ${path} has ${face.keys.length} keys; expected one that signs`);
  return { schemeId: scheme.id, publicKey: only.publicKey };
}
