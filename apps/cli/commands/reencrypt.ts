import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { installNativeCrypto } from "@ostrom/runtime";
import {
  type KeyPair,
  type PublicKey,
  platformEntropy,
  recipientName,
  recipientsOf,
  resealMessage,
  wipe,
} from "@ostrom/sdk";
import { type Command, UsageError } from "../command.ts";
import { KEYSTORE_FLAGS } from "../keystore-files.ts";
import { openDecryptionKeys, RECIPIENT_FLAG, readMessage, readRecipients } from "../recipients.ts";

type Outcome = "reencrypted" | "up to date" | "not sealed" | "refused";

const MAX_PATHS = 10_000;
const TEMPORARY_ENDING = ".reencrypting";

export const reencrypt: Command = {
  name: "reencrypt",
  summary: "encrypt stored files anew, to other keys, in place",
  usage: "FILE-OR-FOLDER ... --key OLD --to NEW",
  maxPositionals: MAX_PATHS,
  flags: [
    { name: "key", kind: "list", placeholder: "KEYSTORE", help: "whose key opens them now; repeat" },
    RECIPIENT_FLAG,
    ...KEYSTORE_FLAGS,
  ],
  examples: [
    "ostrom reencrypt archive --key 0x5FbD...0aa3 --to x-wing-3f0c",
    "ostrom reencrypt a.sealed b.sealed --key old.json --to new.pem",
  ],
  run: async ({ values, positionals }) => {
    if (positionals.length === 0)
      throw new UsageError("say what to encrypt anew: ostrom reencrypt FOLDER ...");
    const recipients = readRecipients(values);
    installNativeCrypto();
    const keys = await openDecryptionKeys(values);
    let refused = 0;
    for (const file of positionals.flatMap(filesOf)) {
      const { outcome, reason } = reencryptFile(file, keys, recipients);
      if (outcome === "refused") refused++;
      if (outcome === "not sealed") continue;
      if (values["json"] === true) console.log(JSON.stringify({ file, outcome, reason }));
      else console.log(`${file}: ${outcome}${reason === undefined ? "" : ` (${reason})`}`);
    }
    wipe(...keys.map(({ secretKey }) => secretKey));
    return refused === 0 ? 0 : 1;
  },
};

/** A file that is for exactly these recipients already is left alone: a run that was cut off goes on where it was. */
function reencryptFile(
  file: string,
  keys: readonly KeyPair[],
  recipients: readonly PublicKey[],
): { readonly outcome: Outcome; readonly reason?: string } {
  const sealed = readMessage(file);
  const present = recipientsOf(sealed);
  if (!present.ok)
    return present.error.code === "encryption/malformed"
      ? { outcome: "not sealed" }
      : { outcome: "refused", reason: present.error.message };
  const wanted = recipients.map(recipientName);
  if (JSON.stringify(present.value) === JSON.stringify(wanted)) return { outcome: "up to date" };
  const anew = resealMessage(sealed, keys, recipients, platformEntropy);
  if (!anew.ok) return { outcome: "refused", reason: anew.error.message };
  replaceDurably(file, anew.value);
  return { outcome: "reencrypted" };
}

/** The old file stays whole until the new one is on disk. */
function replaceDurably(file: string, bytes: Uint8Array): void {
  const temporary = `${file}${TEMPORARY_ENDING}`;
  rmSync(temporary, { force: true });
  const handle = openSync(temporary, "wx", statSync(file).mode);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
  const folder = openSync(dirname(file), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(TEMPORARY_ENDING))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
