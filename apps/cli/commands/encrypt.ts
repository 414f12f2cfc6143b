import { writeFileSync } from "node:fs";
import { installNativeCrypto } from "@ostrom/runtime";
import {
  encryptHybrid,
  encryptSm2,
  type PublicKey,
  platformEntropy,
  recipientName,
  SEALED_CIPHERS,
  sealMessage,
  sm2CiphertextToDer,
  X_WING,
} from "@ostrom/sdk";
import { type Command, UsageError } from "../command.ts";
import { KEYSTORE_FLAGS } from "../keystore-files.ts";
import { RECIPIENT_FLAG, readMessage, readRecipients } from "../recipients.ts";

const FORMATS = ["sealed", "sm2", "sm2-der", "hpke"] as const;
type Format = (typeof FORMATS)[number];

export const encrypt: Command = {
  name: "encrypt",
  summary: "encrypt a file to recipients: SM2, or X25519 with ML-KEM-768",
  usage: "FILE --to KEY [--to KEY] --out FILE",
  maxPositionals: 1,
  flags: [
    RECIPIENT_FLAG,
    { name: "out", kind: "text", placeholder: "FILE", help: "where the ciphertext goes (never overwritten)" },
    {
      name: "cipher",
      kind: "text",
      placeholder: "NAME",
      help: `${Object.keys(SEALED_CIPHERS).join(" or ")} (default: sm4-gcm where all recipients are of SM2)`,
    },
    {
      name: "format",
      kind: "text",
      placeholder: "NAME",
      help: `${FORMATS.join(", ")}: the last three are for other programs`,
      default: "sealed",
    },
    ...KEYSTORE_FLAGS,
  ],
  examples: [
    "ostrom encrypt report.pdf --to auditor.pem --to 0x5FbD...0aa3 --out report.sealed",
    "ostrom encrypt note.txt --to openssl-public.pem --format sm2-der --out note.der",
  ],
  run: async ({ values, positionals }) => {
    const [file] = positionals;
    const out = values["out"];
    if (file === undefined || typeof out !== "string")
      throw new UsageError("say what to encrypt, and where it goes: ostrom encrypt FILE --to KEY --out FILE");
    const format = FORMATS.find((known) => known === values["format"]);
    if (format === undefined) throw new UsageError(`--format: expected one of ${FORMATS.join(", ")}`);
    installNativeCrypto();
    const recipients = readRecipients(values);
    const message = readMessage(file);
    const sealed =
      format === "sealed"
        ? sealMessage(recipients, message, platformEntropy, cipherOf(values["cipher"], recipients))
        : bare(format, recipients, message);
    if (!sealed.ok) throw new UsageError(sealed.error.message);
    writeFileSync(out, sealed.value, { flag: "wx" });
    const names = recipients.map(recipientName);
    console.log(
      values["json"] === true
        ? JSON.stringify({ file: out, bytes: sealed.value.length, recipients: names })
        : `${out}: ${sealed.value.length} bytes, for ${names.map(({ scheme, name }) => `${scheme} ${name}`).join(", ")}`,
    );
    return 0;
  },
};

function cipherOf(name: unknown, recipients: readonly PublicKey[]): number {
  const isSm = recipients.every(({ scheme }) => scheme === "sm2");
  const chosen = typeof name === "string" ? name : isSm ? "sm4-gcm" : "aes-256-gcm";
  const cipherId = SEALED_CIPHERS[chosen];
  if (cipherId === undefined)
    throw new UsageError(`--cipher: expected one of ${Object.keys(SEALED_CIPHERS).join(", ")}`);
  return cipherId;
}

function bare(
  format: Exclude<Format, "sealed">,
  recipients: readonly PublicKey[],
  message: Uint8Array,
): ReturnType<typeof sealMessage> {
  const scheme = format === "hpke" ? X_WING : "sm2";
  const [recipient] = recipients;
  if (recipients.length !== 1 || recipient?.scheme !== scheme)
    throw new UsageError(`--format ${format}: it has one recipient, with a key of ${scheme}`);
  if (format === "hpke") return encryptHybrid(recipient.publicKey, message, platformEntropy);
  if (message.length === 0) throw new UsageError("SM2 encrypts at least one byte");
  const raw = encryptSm2(recipient.publicKey, message, platformEntropy);
  return raw.ok && format === "sm2-der" ? { ok: true, value: sm2CiphertextToDer(raw.value) } : raw;
}
