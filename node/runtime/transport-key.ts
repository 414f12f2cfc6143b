import { createPrivateKey } from "node:crypto";
import { type Bytes, hex, must } from "@ostrom/base";
import { signatureSchemeByName, verifySignature } from "@ostrom/crypto";
import { type Identity, signRaw } from "@ostrom/network";
import type { TransportKey } from "./batch-ports.ts";

/** The key that a node is known by on links, for what it attests to. */
export function transportKey({ kind, peerId, privateKeyPem }: Identity): TransportKey {
  const privateKey = createPrivateKey(privateKeyPem);
  const key = { kind, raw: hex(peerId) };
  const { id } = must(signatureSchemeByName(kind), "kinds of identities are named as in the registry");
  return {
    sign: (message: Bytes) => signRaw(privateKey, key, message),
    verify: (publicKey, message, signature) => verifySignature(id, publicKey, message, signature),
  };
}
