import type { Bytes } from "@ostrom/base";
import {
  assertEcvrfSecretKey,
  ecvrf,
  isEcvrfSecretKey,
  isSecp256k1SecretKey,
  SECRET_KEY_LENGTH,
} from "@ostrom/crypto";
import { addressOfSecretKey } from "@ostrom/execution";
import type { ModuleKey } from "@ostrom/runtime";

/** `keys/vrf.key`: what a validator draws with. It cannot be changed while the validator is one. */
export const VRF_KEY = "vrf";
/** `keys/operator.key`: the account that pays for what the service sends. It needs no more than gas: stake and rewards belong to the account
 * that bonded, whose key is better kept elsewhere. */
export const OPERATOR_KEY = "operator";

/** What a validator's machine makes for staking. */
export const stakingKeys: readonly ModuleKey[] = [
  {
    name: VRF_KEY,
    summary: "key of the random function that a validator draws its seats with (P-256)",
    create: (entropy) => scalar(entropy, isEcvrfSecretKey),
    publicPart: (secret) => {
      assertEcvrfSecretKey(secret);
      return ecvrf().publicKey(secret);
    },
  },
  {
    name: OPERATOR_KEY,
    summary: "account that pays for a validator's reveals and reports",
    create: (entropy) => scalar(entropy, isSecp256k1SecretKey),
    publicPart: addressOfSecretKey,
    isAccount: true,
  },
];

/** Draws until the bytes are in range: for these curves once in 2^32 times or more rarely again. */
function scalar(entropy: (length: number) => Bytes, isInRange: (bytes: Bytes) => boolean): Bytes {
  for (;;) {
    const bytes = entropy(SECRET_KEY_LENGTH);
    if (isInRange(bytes)) return bytes;
  }
}
