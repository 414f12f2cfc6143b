import {
  type Address,
  type Bytes,
  concatBytes,
  type Hash,
  hashFromHex,
  toHex,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { keccak256, secp256k1 } from "@ostrom/crypto";
import {
  AGILE_TRANSACTION_TYPE,
  type Authorization,
  type CallRequest,
  decodeSignedTransaction,
  impersonatedSender,
  impersonateTransaction,
  type SignedTransaction,
  signTransaction,
  type TransactionFields,
} from "@ostrom/execution";
import {
  callRequest,
  type Decoder,
  type Json,
  type Method,
  objectOf,
  optional,
  optionalField,
  parameterTypes,
  required,
} from "@ostrom/rpc";
import type { AccountBook } from "./accounts.ts";
import { transactionGasCap } from "./admission.ts";
import type { DevelopmentChain, SendOutcome } from "./development-chain.ts";
import {
  amount,
  anything,
  define,
  failedRun,
  invalidInput,
  invalidParameter,
  plainFields,
} from "./method-parts.ts";
import { rawOf } from "./reorganisations.ts";
import type { Simulations } from "./simulations.ts";

const GWEI = 1_000_000_000n;
/** Twice the base fee: enough for six full blocks. */
const BASE_FEE_MARGIN = 2n;
const NORMAL_V = 27;

type Sending = {
  readonly request: CallRequest;
  readonly nonce: bigint | undefined;
  readonly type: bigint | undefined;
};

export type SendingParts = {
  readonly chain: DevelopmentChain;
  readonly accounts: AccountBook;
  readonly simulations: Simulations;
};

const sending: Decoder<Sending> = objectOf(
  "transaction {from, to, gas, value, data, nonce, ...}",
  (object) => ({
    request: callRequest.decode(plainFields(object)),
    nonce: optionalField(object, "nonce", amount),
    type: optionalField(object, "type", amount),
  }),
);

/** A transaction that a developer gives whole, or by its fields: what they leave out is filled when it is made. */
export function transactionReader(parts: SendingParts): (given: unknown) => () => SignedTransaction {
  return (given) => {
    const raw = rawOf(given);
    if (raw === undefined) {
      const fields = sending.decode(given);
      return () => complete(parts, fields);
    }
    const transaction = readRaw(parts.chain, raw);
    return () => transaction;
  };
}

/** Methods that sign and send in the name of accounts, or of anybody who is impersonated. */
export function sendingMethods(parts: SendingParts): readonly Method[] {
  const { chain, accounts } = parts;
  const send = async (transaction: SignedTransaction): Promise<Json> =>
    answerOf(await chain.send(transaction));
  const { address, data } = parameterTypes;
  return [
    define({
      name: "eth_accounts",
      summary: "The accounts whose keys this development chain has.",
      parameters: [],
      returns: "addresses",
      run: () => accounts.list().map((each) => checksumless(each)),
    }),
    define({
      name: "eth_sendTransaction",
      summary:
        "Signs a transaction by an account's key, or in the name of one that is impersonated, and sends it.",
      parameters: [required("transaction", sending)],
      returns: "hash; an error if it fails, though it is in a block then",
      run: (given) => send(complete(parts, given)),
    }),
    define({
      name: "eth_sendRawTransaction",
      summary: "Sends a signed transaction.",
      parameters: [required("transaction", data)],
      returns: "hash; an error if it fails, though it is in a block then",
      run: (raw) => send(readRaw(chain, raw)),
    }),
    define({
      name: "eth_signTransaction",
      summary: "Signs a transaction by an account's key.",
      parameters: [required("transaction", sending)],
      returns: "data",
      run: (given) => toHex(complete(parts, given).raw),
    }),
    signing("eth_sign", [required("address", address), required("message", data)], (from, message) =>
      signMessage(accounts, from, message),
    ),
    signing("personal_sign", [required("message", data), required("address", address)], (message, from) =>
      signMessage(accounts, from, message),
    ),
    ...["eth_signTypedData_v4", "eth_signTypedData_v3", "eth_signTypedData"].map((name) =>
      define({
        name,
        summary: "Signs structured data (EIP-712) by an account's key.",
        parameters: [required("address", address), required("data", anything)],
        returns: "65 bytes",
        run: (from, typed) => signTypedData(accounts, from, typed),
      }),
    ),
    define({
      name: "eth_requestAccounts",
      summary: "As eth_accounts (EIP-1102).",
      parameters: [],
      returns: "addresses",
      run: () => accounts.list().map((each) => checksumless(each)),
    }),
    define({
      name: "eth_sendUnsignedTransaction",
      summary: "Sends a transaction in the name of any account, without a signature.",
      parameters: [required("transaction", sending), optional("unused", anything, undefined)],
      returns: "hash",
      run: (given) => {
        const sender = senderOf(given, accounts);
        const nonce = given.nonce ?? chain.pendingNonce(sender);
        return send(impersonateTransaction({ ...fieldsOf(parts, given, sender), nonce }, sender));
      },
    }),
  ];
}

/** Hardhat and anvil answer lower case. */
function checksumless(address: Address): string {
  return toHex(address);
}

function signing<A, B>(
  name: string,
  parameters: readonly [ReturnType<typeof required<A>>, ReturnType<typeof required<B>>],
  run: (a: A, b: B) => Json,
): Method {
  return define({
    name,
    summary: "Signs a message by an account's key (EIP-191, version 0x45).",
    parameters,
    returns: "65 bytes",
    run: (a, b) => run(a as A, b as B),
  });
}

function senderOf({ request }: Sending, accounts: AccountBook): Address {
  const sender = request.from ?? accounts.list()[0];
  if (sender === undefined) throw invalidInput("the transaction has no from, and there are no accounts");
  return sender;
}

/** Fills what a client left out. Gas: what it takes; of what would fail, as much as it may have, so that it fails in a block. */
function fieldsOf(
  { chain, simulations }: SendingParts,
  { request, nonce, type }: Sending,
  from: Address,
): TransactionFields {
  const { rules } = chain.genesis;
  const { timestamp, baseFeePerGas } = chain.nextBlock();
  const cap = transactionGasCap(rules, timestamp);
  const { blockGasLimit } = chain.settings;
  const most = cap !== undefined && cap < blockGasLimit ? cap : blockGasLimit;
  const gasLimit = request.gas ?? simulations.gasOf({ ...request, from }, most) ?? most;
  const isOlder = request.gasPrice !== undefined;
  const tip =
    request.maxPriorityFeePerGas ??
    (request.maxFeePerGas !== undefined && request.maxFeePerGas < GWEI ? request.maxFeePerGas : GWEI);
  const maxFeePerGas = request.gasPrice ?? request.maxFeePerGas ?? BASE_FEE_MARGIN * baseFeePerGas + tip;
  const newest = request.authorizations !== undefined ? 4 : 2;
  const older = request.accessList === undefined ? 0 : 1;
  return {
    type: (type === undefined ? (isOlder ? older : newest) : Number(type)) as 0 | 1 | 2 | 4,
    chainId: rules.chainId,
    ...(nonce === undefined ? {} : { nonce }),
    gasLimit,
    maxFeePerGas,
    maxPriorityFeePerGas: isOlder ? maxFeePerGas : tip,
    to: request.to,
    ...(request.value === undefined ? {} : { value: request.value }),
    ...(request.data === undefined ? {} : { data: request.data }),
    ...(request.accessList === undefined ? {} : { accessList: request.accessList }),
    ...(request.authorizations === undefined
      ? {}
      : { authorizations: request.authorizations as readonly Authorization[] }),
  };
}

function complete(parts: SendingParts, given: Sending): SignedTransaction {
  const { chain, accounts } = parts;
  const sender = senderOf(given, accounts);
  const nonce = given.nonce ?? chain.pendingNonce(sender);
  const fields = { ...fieldsOf(parts, given, sender), nonce };
  const account = accounts.get(sender);
  if (accounts.isImpersonated(sender)) return impersonateTransaction(fields, sender);
  if (account === undefined) throw invalidInput(`Unknown account ${toHex(sender)}`);
  return signTransaction(fields, account.secretKey);
}

/** A transaction that somebody signed. Nobody may write down an impersonation of their own. */
function readRaw(chain: DevelopmentChain, raw: Bytes): SignedTransaction {
  const decoded = decodeSignedTransaction(raw);
  if (!decoded.ok) throw invalidParameter(`Invalid transaction: ${decoded.error.message}`);
  if (impersonatedSender(decoded.value, chain.genesis.rules) !== undefined) {
    throw invalidParameter("Invalid transaction: it has no true signature");
  }
  if (decoded.value.type === AGILE_TRANSACTION_TYPE && chain.genesis.rules.hasKeySets !== true) {
    throw invalidParameter("Invalid transaction: accounts of this chain have no key sets");
  }
  return decoded.value;
}

/** Blocks whose transactions fail have them all the same: who sent one hears of it at once, as from Hardhat's node. */
export function answerOf(outcome: SendOutcome): Json {
  switch (outcome.kind) {
    case "sent":
      return toHex(outcome.hash);
    case "refused":
      throw invalidInput(outcome.reason.message);
    case "failed": {
      const { failure, run, hash } = outcome;
      throw failedRun(run, failure.message, hash);
    }
    default:
      return outcome satisfies never;
  }
}

function signMessage(accounts: AccountBook, from: Address, message: Bytes): Json {
  const prefix = utf8(`\x19Ethereum Signed Message:\n${message.length}`);
  return signHashBy(accounts, from, keccak256(concatBytes(prefix, message)));
}

function signHashBy(accounts: AccountBook, from: Address, hash: Hash): string {
  const account = accounts.get(from);
  if (account === undefined) throw invalidInput(`Unknown account ${toHex(from)}`);
  const { signature, yParity } = secp256k1().sign(hash, account.secretKey);
  return `0x${toHexDigits(signature)}${(NORMAL_V + yParity).toString(16)}`;
}

/** viem knows the encoding of EIP-712; it is loaded by the first who asks. */
async function signTypedData(accounts: AccountBook, from: Address, typed: unknown): Promise<Json> {
  const { hashTypedData } = await import("viem/utils");
  const parsed: unknown = typeof typed === "string" ? JSON.parse(typed) : typed;
  let digest: string;
  try {
    digest = hashTypedData(parsed as Parameters<typeof hashTypedData>[0]);
  } catch (error) {
    throw invalidInput(`the typed data cannot be hashed: ${(error as Error).message}`);
  }
  return signHashBy(accounts, from, hashFromHex(digest));
}
