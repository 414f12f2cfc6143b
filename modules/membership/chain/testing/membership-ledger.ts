import {
  Address,
  type Bytes,
  fromHex,
  type Hash,
  hashFromWord,
  toHex,
  unwrap,
  utf8,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { MEMBERSHIP_ADDRESS, SYSTEM_ADDRESS } from "@ostrom/execution";
import { type Log, MemoryState, StateOverlay } from "@ostrom/state";
import { type BlockContext, executeMessage, type Outcome } from "@ostrom/vm";
import {
  type Abi,
  decodeErrorResult,
  decodeEventLog,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  parseAbi,
} from "viem";
import { MEMBERSHIP_ABI } from "../membership-abi.ts";
import { MEMBERSHIP_CODE } from "../membership-code.ts";
import { encodeSettings, type MembershipSettings } from "../settings.ts";

export const ABI: Abi = parseAbi(MEMBERSHIP_ABI) as Abi;

const GAS = 16_000_000n;
const ACTIVATION_GAS = 1_000_000_000n;
const CHAIN_ID = 1337n;

export type ContractCall = { readonly target: Hex; readonly value: bigint; readonly data: Hex };

/** An account of tests. */
export function person(name: string): Address {
  return Address(keccak256(utf8(name)).slice(0, 20));
}

/** Bytes that derive from a name: keys, certificates. */
export function bytesOf(name: string, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 32)
    bytes.set(keccak256(utf8(`${name}/${i}`)).subarray(0, Math.min(32, length - i)), i);
  return bytes;
}

export function encode(functionName: string, args: readonly unknown[]): Hex {
  return encodeFunctionData({ abi: ABI, functionName, args });
}

/** A call that the contract makes of itself when its members decide so. */
export function decided(functionName: string, ...args: readonly unknown[]): ContractCall {
  return { target: toHex(MEMBERSHIP_ADDRESS), value: 0n, data: encode(functionName, args) };
}

/** The contract alone, run by core's engine on a journaled state, without blocks and signatures: thousands of acts in seconds. */
export class MembershipLedger {
  readonly state: StateOverlay;
  /** Logs of the last transaction. */
  logs: readonly Log[] = [];
  gasUsed = 0n;
  height = 1;

  constructor(settings: MembershipSettings | undefined, code: Bytes = MEMBERSHIP_CODE) {
    this.state = new StateOverlay(new MemoryState());
    this.place(MEMBERSHIP_ADDRESS, code);
    if (settings === undefined) return;
    const outcome = this.activate(encodeSettings(settings));
    if (outcome !== "done") throw new Error(`activation failed: ${outcome}`);
  }

  place(address: Address, code: Bytes): void {
    this.state.beginTransaction();
    this.state.setCode(address, code);
    this.state.setNonce(address, 1n);
    this.state.endTransaction();
  }

  activate(settings: Bytes, from: Address = SYSTEM_ADDRESS): string {
    const data = unwrap(fromHex(encode("activate", [toHex(settings)])));
    return nameOf(this.#execute(from, MEMBERSHIP_ADDRESS, data, ACTIVATION_GAS));
  }

  /** @returns "done", or the name of the error that the contract reverts with. */
  send(from: Address, functionName: string, ...args: readonly unknown[]): string {
    return nameOf(this.#execute(from, MEMBERSHIP_ADDRESS, unwrap(fromHex(encode(functionName, args))), GAS));
  }

  /** Any call of any contract. */
  call(from: Address, to: Address, data: Bytes): Outcome {
    return this.#execute(from, to, data, GAS);
  }

  /** What the contract answers, without leaving a trace. */
  ask(functionName: string, ...args: readonly unknown[]): unknown {
    const data = unwrap(fromHex(encode(functionName, args)));
    const { status, output } = this.#execute(ZERO_ADDRESS, MEMBERSHIP_ADDRESS, data, GAS);
    if (status !== "success") throw new Error(`${functionName} fails`);
    return decodeFunctionResult({ abi: ABI, functionName, data: toHex(output) });
  }

  /** `Name(argument, ...)` of the last transaction's events. */
  events(): readonly string[] {
    return this.logs.map((log) => {
      const topics = log.topics.map((topic) => toHex(topic)) as [Hex, ...Hex[]];
      const { eventName, args } = decodeEventLog({ abi: ABI, topics, data: toHex(log.data) });
      const values = Object.values((args ?? {}) as Record<string, unknown>).map(String);
      return `${eventName}(${values.join(",")})`;
    });
  }

  /** Proposes, lets all of `supporters` vote, and executes. @returns what the execution ended with. */
  decide(supporters: readonly Address[], ...calls: readonly ContractCall[]): string {
    const [proposer, ...others] = supporters;
    if (proposer === undefined) throw new Error("somebody must propose");
    const opened = this.send(proposer, "propose", "a test's proposal", calls);
    if (opened !== "done") return opened;
    const id = this.ask("lastProposal");
    for (const supporter of others) this.send(supporter, "vote", id, true);
    const outcome = this.send(proposer, "execute", id);
    // Nobody's room for proposals fills up with those that tests let fail.
    if (outcome !== "done") this.send(proposer, "withdraw", id);
    return outcome;
  }

  #execute(caller: Address, to: Address, data: Bytes, gas: bigint): Outcome {
    const { state } = this;
    state.beginTransaction();
    const transaction = { origin: caller, gasPrice: 0n, blobVersionedHashes: [] };
    const message = { caller, to, value: 0n, data, gas };
    const outcome = executeMessage({ fork: "osaka", block: this.#block(), transaction, state }, message);
    this.logs = [...state.logs()];
    this.gasUsed = gas - outcome.gasLeft;
    state.endTransaction();
    return outcome;
  }

  #block(): BlockContext {
    return {
      number: BigInt(this.height),
      timestamp: 1_700_000_000n,
      coinbase: ZERO_ADDRESS,
      gasLimit: ACTIVATION_GAS,
      baseFeePerGas: 0n,
      prevRandao: ZERO_HASH,
      blobBaseFee: 1n,
      chainId: CHAIN_ID,
      blockHash: (number: bigint): Hash => hashFromWord(number),
    };
  }
}

function nameOf({ status, output, fault }: Outcome): string {
  if (status === "success") return "done";
  if (status === "fault") return fault ?? "fault";
  if (output.length === 0) return "reverted";
  const { errorName, args } = decodeErrorResult({ abi: ABI, data: toHex(output) });
  // What a decided call failed with says more than that it failed.
  if (errorName === "CallFailed") return `CallFailed:${innerName(String(args?.[1]) as Hex)}`;
  return errorName;
}

function innerName(data: Hex): string {
  try {
    return decodeErrorResult({ abi: ABI, data }).errorName;
  } catch {
    return data;
  }
}
