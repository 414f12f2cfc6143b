import type { Bytes } from "@ostrom/base";

/** A contract whose code is part of the protocol: a pure function of its input. */
export type Precompile = {
  /** What a call costs, known before it runs. A form that always fails may cost 0: failing takes all gas anyway. */
  readonly gas: (input: Bytes) => bigint;
  /** @returns the output, or undefined if the call fails and takes all the gas it was given. */
  readonly run: (input: Bytes) => Bytes | undefined;
};

/** Gas for hashing and copying: a base and a price for each started word of 32 bytes. */
export function gasPerWord(base: number, perWord: number): (input: Bytes) => bigint {
  return (input) => BigInt(base + perWord * Math.ceil(input.length / 32));
}

/** `length` bytes of the input from `offset` on, as if zeros followed it without end. Shares memory where it can. */
export function readPadded(input: Bytes, offset: number, length: number): Bytes {
  const part = input.subarray(offset, offset + length);
  if (part.length === length) return part;
  const padded = new Uint8Array(length);
  padded.set(part);
  return padded;
}
