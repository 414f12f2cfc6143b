import { toHex } from "@ostrom/base";
import {
  type AccountKeys,
  type AccountSigner,
  applyCall,
  cancellationCall,
  describeKey,
  enrollmentCall,
  guardianCancellationCall,
  type KeySetVersion,
  keyPairSigner,
  proposalCall,
  protectionCall,
  protectionChangeCall,
  readAccountKeys,
  readTimelockMinimum,
} from "@ostrom/sdk";
import { getAddress, type Hex } from "viem";
import { type CommandInput, UsageError } from "./command.ts";
import { sendToKeySets } from "./key-set-errors.ts";
import { readOneSigner, readPlan, readPublicKey } from "./key-set-flags.ts";
import { readSigningKey } from "./signing-key.ts";
import { readAddress } from "./units.ts";
import { connectWallet, contractCall, requireKeySets, type Wallet } from "./wallet.ts";

export const KEY_SET_ACTIONS = ["keys", "enroll", "rotate", "apply", "cancel", "protect"] as const;
type KeySetAction = (typeof KEY_SET_ACTIONS)[number];

const MS_PER_SECOND = 1_000;

/** Who asks for what, with the account that signs. */
type Request = {
  readonly input: CommandInput;
  readonly rpc: string;
  readonly wallet: Wallet;
  readonly signers: readonly AccountSigner[];
};

/** What is sent to KeySets, and what to say of it. */
type Change = { readonly data: Hex; readonly done: (receiptTime: string) => string };

/** `ostrom account keys | enroll | rotate | apply | cancel | protect`. @returns the exit code. @throws UsageError. */
export async function runKeySetAction(action: KeySetAction, input: CommandInput): Promise<number> {
  const rpc = String(input.values["rpc"]);
  const isJson = input.values["json"] === true;
  if (action === "keys") return showKeys(rpc, readAddress(input.positionals[1], "account keys"), isJson);
  const keys = await readSigningKey(input);
  const wallet = await connectWallet(rpc, keys);
  await requireKeySets(rpc);
  const request = { input, rpc, wallet, signers: keys.keys.map(keyPairSigner) };
  const { data, done } = await changeOf(action, request);
  const { hash, blockTime } = await sendToKeySets(rpc, wallet, data);
  console.log(
    isJson
      ? JSON.stringify({ action, account: wallet.account.address, hash })
      : `${hash}\n${done(blockTime)}`,
  );
  return 0;
}

function changeOf(action: Exclude<KeySetAction, "keys">, request: Request): Promise<Change> {
  switch (action) {
    case "enroll":
      return enrollment(request);
    case "rotate":
      return rotation(request);
    case "apply":
      return application(request);
    case "cancel":
      return cancellation(request);
    case "protect":
      return protection(request);
    default:
      return action satisfies never;
  }
}

async function enrollment({ input, rpc, wallet, signers }: Request): Promise<Change> {
  const address = getAddress(wallet.account.address);
  const call = contractCall(rpc);
  const { newestVersion, governing } = await readAccountKeys(call, address);
  if (governing !== undefined)
    throw new UsageError(`${address} has keys on chain: change them by ostrom account rotate`);
  const defaults = { least: await readTimelockMinimum(call), present: undefined };
  const plan = await readPlan(input, signers, defaults);
  const owner = { chainId: wallet.chainId, account: address };
  return {
    data: await enrollmentCall(owner, newestVersion + 1, plan),
    done: () =>
      `${address} acts by ${plan.threshold} of these keys from now on:\n${listKeys(plan.signers)}\nSend by them with --sender ${address}.`,
  };
}

async function rotation({ input, rpc, wallet, signers }: Request): Promise<Change> {
  const address = getAddress(wallet.account.address);
  const call = contractCall(rpc);
  const { newestVersion, governing, proposal, proposalCount } = await readAccountKeys(call, address);
  if (governing === undefined)
    throw new UsageError(`${address} has no keys on chain yet: ostrom account enroll`);
  if (proposal !== undefined)
    throw new UsageError(
      `a change waits already: ostrom account apply, or cancel (see ostrom account keys ${address})`,
    );
  const plan = await readPlan(input, signers, { least: await readTimelockMinimum(call), present: governing });
  const approver = input.values["approveWith"];
  const approval =
    approver === undefined
      ? undefined
      : { guardian: await readOneSigner(approver, input, "--approve-with"), proposal: proposalCount + 1 };
  const owner = { chainId: wallet.chainId, account: address };
  return {
    data: await proposalCall(owner, newestVersion + 1, plan, approval),
    done: (time) =>
      `Proposed at ${time}: in ${governing.timelockSeconds} s anybody may put it in force by ostrom account apply ${address}. Until then the old keys act, and may cancel it. Then:\n${listKeys(plan.signers)}`,
  };
}

async function application({ input, rpc }: Request): Promise<Change> {
  const account = readAddress(input.positionals[1], "account apply");
  const { proposal } = await readAccountKeys(contractCall(rpc), account);
  if (proposal === undefined) throw new UsageError(`${account} has no change that waits`);
  return {
    data: applyCall(account),
    done: () => `${account} acts by its new keys: ostrom account keys ${account}`,
  };
}

async function cancellation({ input, rpc, wallet }: Request): Promise<Change> {
  const address = getAddress(wallet.account.address);
  const isByGuardian = input.values["guardian"] !== undefined;
  const account = isByGuardian ? readAddress(input.positionals[1], "account cancel") : address;
  const { proposal, governing } = await readAccountKeys(contractCall(rpc), account);
  if (proposal === undefined) throw new UsageError(`${account} has no change that waits`);
  const done = (): string => `Cancelled: ${account} acts by the keys that it has`;
  if (!isByGuardian) return { data: cancellationCall(), done };
  const guardian = await readOneSigner(input.values["guardian"], input, "--guardian");
  const owner = { chainId: wallet.chainId, account };
  return {
    data: await guardianCancellationCall(owner, proposal, guardian),
    done: () =>
      `${done()}, and changes need its guardian's approval for ${governing?.timelockSeconds ?? 0} s`,
  };
}

async function protection({ input, rpc, wallet }: Request): Promise<Change> {
  const { values } = input;
  if (values["commit"] === undefined)
    throw new UsageError("say which key protects the account: --commit NAME");
  const key = readPublicKey(String(values["commit"]), values, "--commit");
  const address = getAddress(wallet.account.address);
  const { commitment } = await readAccountKeys(contractCall(rpc), address);
  const done = (): string =>
    `${address} has committed to ${describeKey(key)}: should elliptic curves be declared broken, this key alone acts for it (--sender ${address}).`;
  if (commitment === undefined) return { data: protectionCall(key), done };
  if (values["committed"] === undefined)
    throw new UsageError(
      `${address} has committed to a key already; only that key may replace it: --committed NAME`,
    );
  const committed = await readOneSigner(values["committed"], input, "--committed");
  const owner = { chainId: wallet.chainId, account: address };
  return { data: await protectionChangeCall(owner, commitment.changes, committed, key), done };
}

async function showKeys(rpc: string, account: Hex, isJson: boolean): Promise<number> {
  await requireKeySets(rpc);
  const keys = await readAccountKeys(contractCall(rpc), account);
  console.log(isJson ? JSON.stringify(jsonOf(account, keys)) : describe(account, keys).join("\n"));
  return 0;
}

function describe(
  account: Hex,
  { governing, proposal, commitment, isBroken, blockedUntil }: AccountKeys,
): readonly string[] {
  const head =
    governing === undefined
      ? [
          `${getAddress(account)} has no keys on chain${isBroken ? " that count" : ""}: the key of its address acts for it`,
        ]
      : [`${getAddress(account)} acts by ${policy(governing)}:`, ...describeSet(governing)];
  return [
    ...head,
    ...(proposal === undefined
      ? []
      : [
          `From ${timeOf(proposal.readyAt)} on, ostrom account apply puts in its place ${policy(proposal.set)}:`,
          ...describeSet(proposal.set),
        ]),
    ...(commitment === undefined
      ? []
      : [`It committed to a post-quantum key at ${timeOf(commitment.since)}: ${commitment.hash}`]),
    ...(blockedUntil * MS_PER_SECOND <= Date.now()
      ? []
      : [`Changes need its guardian's approval until ${timeOf(blockedUntil)}`]),
    ...(isBroken ? ["Elliptic curves are declared broken: only post-quantum keys count"] : []),
  ];
}

function policy({ version, threshold, keys, isOpen }: KeySetVersion): string {
  const how = isOpen ? ", with which its secp256k1 key may do all that it could before" : "";
  return `${threshold} of ${keys.length} keys (version ${version})${how}`;
}

function describeSet({ keys, guardian, timelockSeconds }: KeySetVersion): readonly string[] {
  return [
    ...keys.map((key, index) => `  ${index}: ${describeKey(key)}`),
    `  changes wait ${timelockSeconds} s${guardian === undefined ? "" : `; guardian: ${describeKey(guardian)}`}`,
  ];
}

function listKeys(signers: readonly AccountSigner[]): string {
  return signers.map((key, index) => `  ${index}: ${describeKey(key)}`).join("\n");
}

function jsonOf(account: Hex, keys: AccountKeys): Readonly<Record<string, unknown>> {
  const { governing, proposal } = keys;
  return {
    account,
    ...keys,
    governing: governing && jsonOfSet(governing),
    proposal: proposal && { ...proposal, set: jsonOfSet(proposal.set) },
  };
}

function jsonOfSet({ keys, guardian, ...others }: KeySetVersion): Readonly<Record<string, unknown>> {
  const shown = [...keys, ...(guardian === undefined ? [] : [guardian])].map(({ schemeId, publicKey }) => ({
    schemeId,
    publicKey: toHex(publicKey),
  }));
  return {
    ...others,
    keys: shown.slice(0, keys.length),
    ...(guardian === undefined ? {} : { guardian: shown.at(-1) }),
  };
}

function timeOf(seconds: number): string {
  return new Date(seconds * MS_PER_SECOND).toISOString();
}
