import { p256 } from "@noble/curves/nist.js";
import { concatBytes } from "@ostrom/base";
import type { P256Engine } from "./arithmetic-engines.ts";

const UNCOMPRESSED = Uint8Array.of(4);

/** The reference engine of P-256. */
export const nobleP256: P256Engine = {
  name: "noble",
  verify: (hash, signature, publicKey) =>
    p256.verify(signature, hash, concatBytes(UNCOMPRESSED, publicKey), {
      prehash: false,
      lowS: false,
      format: "compact",
    }),
};
