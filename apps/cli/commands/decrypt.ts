import { writeFileSync } from "node:fs";
import { installNativeCrypto } from "@ostrom/runtime";
import {
  decryptHybrid,
  decryptSm2,
  type KeyPair,
  openMessage,
  recipientsOf,
  sm2CiphertextFromDer,
  wipe,
  X_WING,
} from "@ostrom/sdk";
import { type Command, UsageError } from "../command.ts";
import { KEYSTORE_FLAGS } from "../keystore-files.ts";
import { openDecryptionKeys, readMessage } from "../recipients.ts";

const OWNER_ONLY = 0o600;
const FORMATS = ["auto", "sm2", "sm2-der", "hpke"] as const;

export const decrypt: Command = {
  name: "decrypt",
  summary: "decrypt a file with a key of yours, or show who can",
  usage: "FILE --key KEYSTORE --out FILE",
  maxPositionals: 1,
  flags: [
    {
      name: "key",
      kind: "list",
      placeholder: "KEYSTORE",
      help: "whose key opens it; repeat. Without it, the recipients are shown",
    },
    {
      name: "out",
      kind: "text",
      placeholder: "FILE",
      help: "where the message goes (0600; never overwritten)",
    },
    {
      name: "format",
      kind: "text",
      placeholder: "NAME",
      help: "of a bare ciphertext: sm2, sm2-der, hpke",
      default: "auto",
    },
    ...KEYSTORE_FLAGS,
  ],
  examples: [
    "ostrom decrypt report.sealed --key 0x5FbD...0aa3 --out report.pdf",
    "ostrom decrypt report.sealed",
    "ostrom decrypt note.der --format sm2-der --key sm2.json --out note.txt",
  ],
  run: async ({ values, positionals }) => {
    const [file] = positionals;
    if (file === undefined) throw new UsageError("say what to decrypt: ostrom decrypt FILE --key KEYSTORE");
    const format = FORMATS.find((known) => known === values["format"]);
    if (format === undefined) throw new UsageError(`--format: expected one of ${FORMATS.join(", ")}`);
    const sealed = readMessage(file);
    if (values["key"] === undefined) return showRecipients(file, sealed, values["json"] === true);
    const out = values["out"];
    if (typeof out !== "string") throw new UsageError("say where the message goes: --out FILE");
    installNativeCrypto();
    const keys = await openDecryptionKeys(values);
    const message = format === "auto" ? openMessage(sealed, keys) : openBare(format, sealed, keys);
    wipe(...keys.map(({ secretKey }) => secretKey));
    if (!message.ok) throw new UsageError(`${file}: ${message.error.message}`);
    writeFileSync(out, message.value, { mode: OWNER_ONLY, flag: "wx" });
    const bytes = message.value.length;
    wipe(message.value);
    console.log(
      values["json"] === true
        ? JSON.stringify({ file: out, bytes })
        : `${out}: ${bytes} bytes, readable by you alone`,
    );
    return 0;
  },
};

function showRecipients(file: string, sealed: Uint8Array, json: boolean): number {
  const recipients = recipientsOf(sealed);
  if (!recipients.ok) throw new UsageError(`${file}: ${recipients.error.message}`);
  for (const recipient of recipients.value)
    console.log(json ? JSON.stringify(recipient) : `${recipient.scheme} ${recipient.name}`);
  return 0;
}

function openBare(
  format: "sm2" | "sm2-der" | "hpke",
  ciphertext: Uint8Array,
  keys: readonly KeyPair[],
): ReturnType<typeof openMessage> {
  const scheme = format === "hpke" ? X_WING : "sm2";
  const pair = keys.find((one) => one.scheme === scheme);
  if (pair === undefined) throw new UsageError(`--format ${format}: none of the keys is of ${scheme}`);
  if (format === "hpke") return decryptHybrid(pair.secretKey, ciphertext);
  const raw =
    format === "sm2-der" ? sm2CiphertextFromDer(ciphertext) : { ok: true as const, value: ciphertext };
  return raw.ok ? decryptSm2(pair.secretKey, raw.value) : raw;
}
