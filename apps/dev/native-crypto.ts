import { createRequire } from "node:module";
import { assert } from "@ostrom/base";
import {
  assertSecp256k1SecretKey,
  installEngines,
  nobleHash,
  nobleSecp256k1,
  type Secp256k1Engine,
} from "@ostrom/crypto";
import { createEmittedKeccak } from "@ostrom/vm";

type Binding = typeof import("secp256k1");

const SIGNATURE_LENGTH = 64;
/** Up to here the emitted Keccak, which takes short inputs, is the faster one. */
const MAX_SHORT_LENGTH = 600;

/** Puts into core/crypto's slots what a development chain spends its time in. A node of a network installs native engines for all, which takes
 * longer than this chain may take to start; where a native part does not load, the reference stays, and is only slower. */
export function installFastCrypto(): void {
  const short = createEmittedKeccak();
  installEngines({
    hash: {
      ...nobleHash,
      name: "noble+wasm",
      keccak256: (data) => (data.length <= MAX_SHORT_LENGTH ? short(data) : nobleHash.keccak256(data)),
    },
    secp256k1: loadSecp256k1() ?? nobleSecp256k1,
  });
}

function loadSecp256k1(): Secp256k1Engine | undefined {
  let binding: Binding;
  try {
    binding = createRequire(import.meta.url)("secp256k1/bindings") as Binding;
  } catch {
    return undefined;
  }
  return {
    name: "libsecp256k1",
    recover: (hash, signature, yParity) => {
      if (signature.length !== SIGNATURE_LENGTH) return undefined;
      try {
        return binding.ecdsaRecover(signature, yParity, hash, false).subarray(1);
      } catch {
        return undefined;
      }
    },
    sign: (hash, secretKey) => {
      // RFC 6979 reduces such a hash, libsecp256k1 does not.
      if (hash[0] === 0xff) return nobleSecp256k1.sign(hash, secretKey);
      assertSecp256k1SecretKey(secretKey);
      const { signature, recid } = binding.ecdsaSign(hash, secretKey);
      assert(recid === 0 || recid === 1, "a signature's x coordinate must be below the group's order");
      return { signature, yParity: recid };
    },
    publicKey: (secretKey) => {
      assertSecp256k1SecretKey(secretKey);
      return binding.publicKeyCreate(secretKey, false).subarray(1);
    },
  };
}
