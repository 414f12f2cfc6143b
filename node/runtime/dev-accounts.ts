import { mnemonicToAccount } from "viem/accounts";

/** The mnemonic that Hardhat, anvil and Ganache fund by default. Everybody knows its keys: `ostrom init` refuses it. */
export const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";
export const DEVELOPMENT_ACCOUNT_COUNT = 10;
/** Accounts after these receive the fees of local validators. */
export const DEVELOPMENT_FEE_ACCOUNTS = 32;
/** 10,000 coins, as anvil and Hardhat give. */
export const DEVELOPMENT_BALANCE: bigint = 10_000n * 10n ** 18n;

export type DerivedAccount = { readonly address: `0x${string}`; readonly secretKey: `0x${string}` };

/** Derives accounts at m/44'/60'/0'/0/i (BIP-32, BIP-39, BIP-44). */
export function deriveAccounts(mnemonic: string, count: number): readonly DerivedAccount[] {
  return Array.from({ length: count }, (_, addressIndex) => {
    const account = mnemonicToAccount(mnemonic, { addressIndex });
    const secretKey = account.getHdKey().privateKey;
    if (secretKey === null || secretKey === undefined) throw new Error("the mnemonic gave no secret key");
    return { address: account.address, secretKey: `0x${Buffer.from(secretKey).toString("hex")}` };
  });
}

/** True for the development mnemonic however it is spaced or cased. */
export function isDevelopmentMnemonic(mnemonic: string): boolean {
  return mnemonic.trim().toLowerCase().split(/\s+/).join(" ") === DEVELOPMENT_MNEMONIC;
}

/** Addresses of the development accounts and of those after them that `ostrom up` uses. */
export function developmentAddresses(): readonly string[] {
  return deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + DEVELOPMENT_FEE_ACCOUNTS).map(
    ({ address }) => address,
  );
}
