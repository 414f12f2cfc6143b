import {
  Address,
  addressFromHex,
  type Bytes,
  concatBytes,
  fromHex,
  hex,
  must,
  toHex,
  unwrap,
} from "@ostrom/base";
import { SCHEME_SECP256K1, signatureEngine, signatureScheme } from "@ostrom/crypto";
import {
  addressOfKeys,
  addressOfSecretKey,
  intrinsicGas,
  type SignedTransaction,
  signAgileTransaction,
  signTransaction,
} from "@ostrom/execution";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, installNativeCrypto } from "@ostrom/runtime";
import { encodeDeployData, encodeFunctionData, getContractAddress, parseAbi, parseEther } from "viem";
import { DEVELOPMENT_CHAIN_ID } from "../../apps/cli/local-network.ts";
import { compileContract } from "../../examples/demo/compile.ts";

export type Kind = "transfer" | "erc20";
export type BenchAccount = {
  readonly schemeId: number;
  readonly secretKey: Bytes;
  readonly address: `0x${string}`;
};

type Fields = Parameters<typeof signAgileTransaction>[0];

const TRANSFER_GAS = 21_000n;
const TOKEN_TRANSFER_GAS = 65_000n;
const TOKEN_DEPLOYMENT_GAS = 3_000_000n;
const MAX_FEE = 50n * 10n ** 9n;
const TOKEN_SHARE = parseEther("1000");
const TOKEN_ABI = parseAbi([
  "function transfer(address to, uint256 value) returns (bool)",
  "function balanceOf(address) view returns (uint256)",
]);

/** Senders with keys 0x01..01 and so on: for benchmarks alone. */
export function createAccounts(count: number, schemeId: number = SCHEME_SECP256K1): readonly BenchAccount[] {
  installNativeCrypto();
  return Array.from({ length: count }, (_, index) => {
    const secretKey = hex(
      (BigInt(index + 1) * 0x1000000000000000000000000000001n).toString(16).padStart(64, "0"),
    );
    if (schemeId === SCHEME_SECP256K1)
      return { schemeId, secretKey, address: toHex(addressOfSecretKey(secretKey)) };
    const { secretKeyLength } = must(signatureScheme(schemeId), "a suite's scheme is known");
    const secret = concatBytes(secretKey, secretKey).slice(0, secretKeyLength);
    const key = { schemeId, publicKey: publicKeyOf(schemeId, secret) };
    return { schemeId, secretKey: secret, address: toHex(addressOfKeys(1, [key])) };
  });
}

function publicKeyOf(schemeId: number, secretKey: Bytes): Bytes {
  return must(signatureEngine(schemeId), "a suite's scheme has an engine").publicKey(secretKey);
}

/** Signs as the account's scheme does: Ethereum's type 2, or type 0x60 with the key inline, whose gas is what its signature costs besides. */
function signBy(account: BenchAccount): (fields: Fields) => SignedTransaction {
  const { schemeId, secretKey, address } = account;
  if (schemeId === SCHEME_SECP256K1) return (fields) => signTransaction({ ...fields, type: 2 }, secretKey);
  const inlineKeys = [{ schemeId, publicKey: publicKeyOf(schemeId, secretKey) }];
  const sender = Address(unwrap(fromHex(address)));
  const agile = { sender, keySetVersion: 0, validUntil: 0n, threshold: 1, inlineKeys };
  const sign = (fields: Fields): SignedTransaction =>
    signAgileTransaction(fields, agile, [{ keyIndex: 0, schemeId, secretKey }]);
  let surplus: bigint | undefined;
  return (fields) => {
    surplus ??= intrinsicGas(sign(fields), "osaka") - TRANSFER_GAS;
    return sign({ ...fields, gasLimit: (fields.gasLimit ?? 0n) + surplus });
  };
}

export type TokenSetup = {
  readonly token: `0x${string}`;
  /** Deployment first, then a share for each sender; all by one account, in nonce order, as raw hex. */
  readonly raws: readonly string[];
  readonly lastHash: string;
};

/** Signs the deployment of OpenZeppelin's ERC-20 and the senders' shares: the first transactions of development account 0. */
export function signTokenSetup(accounts: readonly BenchAccount[]): TokenSetup {
  const contract = compileContract("Token.sol", "Token");
  const { secretKey, address } = deriveAccounts(DEVELOPMENT_MNEMONIC, 1)[0]!;
  const owner = unwrap(fromHex(secretKey));
  const sign = (fields: Pick<Fields, "nonce" | "gasLimit" | "to" | "data">): SignedTransaction =>
    signTransaction(
      {
        type: 2,
        chainId: BigInt(DEVELOPMENT_CHAIN_ID),
        maxFeePerGas: MAX_FEE,
        maxPriorityFeePerGas: 1n,
        value: 0n,
        ...fields,
      },
      owner,
    );
  const supply = TOKEN_SHARE * BigInt(accounts.length);
  const code = hex(encodeDeployData({ ...contract, args: [supply] }).slice(2));
  const token = getContractAddress({ from: address, nonce: 0n });
  const signed = [
    sign({ nonce: 0n, gasLimit: TOKEN_DEPLOYMENT_GAS, to: undefined, data: code }),
    ...accounts.map(({ address: receiver }, index) =>
      sign({
        nonce: BigInt(index + 1),
        gasLimit: TOKEN_TRANSFER_GAS,
        to: addressFromHex(token),
        data: tokenTransfer(receiver, TOKEN_SHARE),
      }),
    ),
  ];
  return { token, raws: signed.map(({ raw }) => toHex(raw)), lastHash: toHex(signed.at(-1)!.hash) };
}

/** Signs about `total` transactions, the same number for each sender, as raw hex; receivers are the other senders. */
export function signAhead(
  accounts: readonly BenchAccount[],
  total: number,
  token: `0x${string}` | undefined,
): readonly (readonly string[])[] {
  const each = Math.ceil(total / accounts.length);
  return accounts.map((_, sender) => {
    const sign = senderOf(accounts, sender, token);
    return Array.from({ length: each }, (_, nonce) => toHex(sign(nonce).raw));
  });
}

/** What signs one sender's payments of one unit to the next account. @param token undefined: coins are paid. */
export function senderOf(
  accounts: readonly BenchAccount[],
  sender: number,
  token: `0x${string}` | undefined,
): (nonce: number) => SignedTransaction {
  const receiver = accounts[(sender + 1) % accounts.length]!.address;
  const to = addressFromHex(token ?? receiver);
  const data = token === undefined ? new Uint8Array(0) : tokenTransfer(receiver, 1n);
  const sign = signBy(accounts[sender]!);
  return (nonce) =>
    sign({
      chainId: BigInt(DEVELOPMENT_CHAIN_ID),
      nonce: BigInt(nonce),
      maxFeePerGas: MAX_FEE,
      maxPriorityFeePerGas: 1n,
      gasLimit: token === undefined ? TRANSFER_GAS : TOKEN_TRANSFER_GAS,
      to,
      value: token === undefined ? 1n : 0n,
      data,
    });
}

function tokenTransfer(receiver: `0x${string}`, value: bigint): Bytes {
  return hex(
    encodeFunctionData({ abi: TOKEN_ABI, functionName: "transfer", args: [receiver, value] }).slice(2),
  );
}
