import type { Address, Bytes } from "@ostrom/base";
import { createAddress } from "../contract-address.ts";
import { programInitCode } from "./code-format.ts";
import { MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_PAYLOAD_BYTES } from "./program-gas.ts";
import type { ProgramKind } from "./types.ts";

export type Upload = {
  readonly kind: ProgramKind;
  readonly program: Bytes;
  /** ABI-encoded. */
  readonly constructorInput: Bytes;
  readonly deployer: Address;
  /** Of the deployer's next transaction. */
  readonly nonce: bigint;
};

export type UploadPlan = {
  /** Init codes, one a creating transaction of the deployer, in this order and with nothing between. */
  readonly initCodes: readonly Bytes[];
  /** Where the contract will be. */
  readonly contract: Address;
};

/** How to deploy a program: at once if it fits into one transaction's init code; else in chunks, then a manifest of their
 * addresses. What is charged for a transaction's gas is not looked at.
 * Throws RangeError if the program is larger than all chunks that a manifest may name. */
export function planUpload({ kind, program, constructorInput, deployer, nonce }: Upload): UploadPlan {
  if (program.length + constructorInput.length <= MAX_PAYLOAD_BYTES) {
    return {
      initCodes: [programInitCode(kind, program, constructorInput)],
      contract: createAddress(deployer, nonce),
    };
  }
  const count = Math.ceil(program.length / MAX_CHUNK_BYTES);
  if (count > MAX_CHUNKS) {
    throw new RangeError(
      `a program has at most ${MAX_CHUNKS * MAX_CHUNK_BYTES} bytes, not ${program.length}`,
    );
  }
  const chunks = Array.from({ length: count }, (_, index) =>
    programInitCode("chunk", program.subarray(index * MAX_CHUNK_BYTES, (index + 1) * MAX_CHUNK_BYTES)),
  );
  const manifest = new Uint8Array(20 * count);
  for (let index = 0; index < count; index++) {
    manifest.set(createAddress(deployer, nonce + BigInt(index)), 20 * index);
  }
  return {
    initCodes: [...chunks, programInitCode(`${kind}Manifest`, manifest, constructorInput)],
    contract: createAddress(deployer, nonce + BigInt(count)),
  };
}
