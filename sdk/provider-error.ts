import { type Bytes, bytesToBigint, toHex, toHexDigits } from "@ostrom/base";
import type { CallOutcome } from "@ostrom/execution";
import type { LightFailure } from "./failure.ts";

/** Codes of JSON-RPC 2.0, EIP-1474 and go-ethereum, as viem and ethers read them. */
export const PROVIDER_ERROR = {
  invalidParams: -32602,
  internal: -32603,
  server: -32000,
  /** EIP-1474: method not supported. */
  unsupported: -32004,
  limitExceeded: -32005,
  reverted: 3,
} as const;

/** What a verified provider throws. `reason` is the light client's stable code, where it refused. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: number;
  readonly data: unknown;
  readonly reason: string | undefined;
  constructor(code: number, message: string, data?: unknown, reason?: string) {
    super(message);
    this.code = code;
    this.data = data;
    this.reason = reason;
  }
}

export function invalidParams(message: string): ProviderError {
  return new ProviderError(PROVIDER_ERROR.invalidParams, message);
}

/** What a server said to something that nobody need prove: it keeps its code, words and data. */
export function toldError({ code, message, rpc }: LightFailure): ProviderError {
  return new ProviderError(rpc?.code ?? PROVIDER_ERROR.server, message, rpc?.data, code);
}

/** A refusal of the light client as a JSON-RPC error. Where a proof was asked for, a server's own error says nothing: with its words and
 * data, libraries would read a revert that never was, or a lookup that leads where the server likes (EIP-3668). */
export function providerError({ code, message, rpc }: LightFailure): ProviderError {
  if (rpc !== undefined) {
    const told = `not verified: the server answered with error ${rpc.code} and no proof (${code})`;
    return new ProviderError(PROVIDER_ERROR.server, told, { reason: code }, code);
  }
  if (code === "light/execution") {
    return new ProviderError(
      PROVIDER_ERROR.server,
      message.slice(message.indexOf(": ") + 2),
      undefined,
      code,
    );
  }
  return new ProviderError(
    PROVIDER_ERROR.server,
    `not verified: ${message} (${code})`,
    { reason: code },
    code,
  );
}

/** Throws what a run came to unless it succeeded, in geth's words. */
export function throwUnlessSucceeded(outcome: CallOutcome): void {
  if (outcome.status === "success") return;
  if (outcome.status === "fault") {
    throw new ProviderError(PROVIDER_ERROR.server, outcome.fault ?? "execution failed");
  }
  const reason = revertReason(outcome.output);
  const message = reason === undefined ? "execution reverted" : `execution reverted: ${reason}`;
  throw new ProviderError(PROVIDER_ERROR.reverted, message, toHex(outcome.output));
}

const ERROR_SELECTOR = "08c379a0";
const WORD = 32;
const MAX_REASON_BYTES = 4_096;

/** The text of Solidity's Error(string); undefined for anything else. */
function revertReason(output: Bytes): string | undefined {
  const body = output.subarray(4);
  if (toHexDigits(output.subarray(0, 4)) !== ERROR_SELECTOR || body.length < 2 * WORD) return undefined;
  const offset = Number(bytesToBigint(body.subarray(0, WORD)));
  if (!(offset + WORD <= body.length)) return undefined;
  const length = Number(bytesToBigint(body.subarray(offset, offset + WORD)));
  const start = offset + WORD;
  if (!(start + length <= body.length)) return undefined;
  return new TextDecoder().decode(body.subarray(start, start + Math.min(length, MAX_REASON_BYTES)));
}
