import { type Bytes, concatBytes, hex, must, toHex, utf8 } from "@ostrom/base";
import { SCHEME_SECP256K1, sha256, signatureEngine, signatureScheme } from "@ostrom/crypto";
import { addressOfKeys } from "@ostrom/execution";
import { getAddress } from "viem";
import { DEVELOPMENT_MNEMONIC, type DerivedAccount, deriveAccounts } from "./dev-accounts.ts";

/** A development account of any scheme. Everybody knows its key. */
export type DevelopmentKey = DerivedAccount & {
  /** As core/crypto's registry names the scheme. */
  readonly scheme: string;
  readonly publicKey: `0x${string}`;
};

const DOMAIN = utf8("ostrom/development/1/");

/** Accounts of one scheme that development networks fund: those of secp256k1 are the development mnemonic's; each other scheme's secret key is
 * SHA-256(domain || scheme's name || number of the part || secret key of the mnemonic's account), as many parts as it takes. */
export function developmentKeys(schemeId: number, count: number): readonly DevelopmentKey[] {
  const { name, secretKeyLength } = must(signatureScheme(schemeId), "accounts are of known schemes");
  const engine = must(signatureEngine(schemeId), "a scheme of accounts has an engine");
  return deriveAccounts(DEVELOPMENT_MNEMONIC, count).map(({ address, secretKey }) => {
    const base = hex(secretKey.slice(2));
    if (schemeId === SCHEME_SECP256K1)
      return { scheme: name, address, secretKey, publicKey: toHex(engine.publicKey(base)) };
    const secret = derived(base, name, secretKeyLength);
    const publicKey = engine.publicKey(secret);
    return {
      scheme: name,
      address: getAddress(toHex(addressOfKeys(1, [{ schemeId, publicKey }]))),
      secretKey: toHex(secret),
      publicKey: toHex(publicKey),
    };
  });
}

function derived(base: Bytes, scheme: string, length: number): Bytes {
  const parts: Bytes[] = [];
  for (let made = 0; made < length; made += 32)
    parts.push(sha256(concatBytes(DOMAIN, utf8(scheme), Uint8Array.of(parts.length), base)));
  return concatBytes(...parts).slice(0, length);
}
