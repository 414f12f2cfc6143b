import { KEY_SETS_ABI, KEY_SETS_CONTRACT } from "@ostrom/sdk";
import { decodeErrorResult, type Hex } from "viem";
import { UsageError } from "./command.ts";
import { ask, askMany } from "./rpc-client.ts";
import type { Wallet } from "./wallet.ts";

const MS_PER_SECOND = 1_000;

/** KeySets' errors, for people. */
const REASONS: Readonly<Record<string, string>> = {
  AlreadyBroken: "elliptic curves are declared broken already",
  AlreadyProposed: "a change waits already",
  CommittedKeyMissing: "the account has committed to a post-quantum key, which must be among its keys",
  DuplicateKey: "the same key twice",
  GuardianMustApprove: "the account's guardian must approve of it: --approve-with NAME",
  HasKeys: "the account has keys on chain",
  HasNoKeys: "the account has no keys on chain",
  NobodyMay: "the genesis of this chain names nobody who may declare it",
  NothingProposed: "no change waits",
  OnlyGuardianCancels: "the guardian has approved of the change: it alone cancels it",
  SchemeNotAllowed: "the chain's genesis does not allow keys of this kind here",
  TooSoon: "the timelock has not passed yet",
  Void: "elliptic keys alone made the change, and elliptic curves are declared broken",
  WrongCommitment: "this is not the key that the account has committed to",
  WrongKeyCount: "an account has 1 to 8 keys",
  WrongSignature: "a key has not signed this",
  WrongSignatureCount: "too few have signed",
  WrongThreshold: "so many keys cannot be asked for",
  WrongTime: "the time lies in the future",
  WrongTimelock: "the timelock is shorter or longer than the chain allows",
};

/** Asks whether KeySets would take a call, sends it, and waits. @returns its hash, and its block's time.
 * @throws UsageError with the reason. */
export async function sendToKeySets(
  rpc: string,
  wallet: Wallet,
  data: Hex,
): Promise<{ readonly hash: Hex; readonly blockTime: string }> {
  const call = { from: wallet.account.address, to: KEY_SETS_CONTRACT, data };
  const [answer] = await askMany(rpc, [{ method: "eth_call", params: [call, "latest"] }]);
  if (answer?.error !== undefined) throw new UsageError(reasonOf(answer.error));
  const hash = await wallet.send({ to: KEY_SETS_CONTRACT, data, value: 0n });
  const { status, blockNumber } = await wallet.receipt(hash);
  if (status !== "success") throw new UsageError(`${hash} was reverted in block ${blockNumber}`);
  const number = `0x${blockNumber.toString(16)}`;
  const block = await ask<{ readonly timestamp: string }>(rpc, "eth_getBlockByNumber", [number, false]);
  return { hash, blockTime: new Date(Number(block.timestamp) * MS_PER_SECOND).toISOString() };
}

function reasonOf({ message, data }: { readonly message: string; readonly data?: unknown }): string {
  if (typeof data !== "string" || data.length < 10) return message;
  try {
    const { errorName } = decodeErrorResult({ abi: KEY_SETS_ABI, data: data as Hex });
    return `the chain refuses: ${REASONS[errorName] ?? errorName}`;
  } catch {
    return message;
  }
}
