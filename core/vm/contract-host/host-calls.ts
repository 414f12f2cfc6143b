/** What programs (WebAssembly and RISC-V contracts) may ask of the engine: one interface for both kinds.
 *
 * WebAssembly imports each function by name from the module `ostrom`. RISC-V puts the number into a7, the operands into a0 to
 * a5, executes ECALL, and finds the result in a0. Pointers and sizes are i32 (RISC-V: the low 32 bits of a register);
 * addresses are 20 bytes, words 32 bytes, big-endian, as the Solidity ABI has them. A pointer out of the program's memory is
 * a trap. `to` is where the host writes. Numbers, once published, never change their meaning. */
export type HostCall = {
  readonly number: number;
  readonly name: HostCallName;
  readonly parameters: readonly HostParameter[];
  readonly result: "nothing" | "i32" | "i64";
};

export type HostParameter = { readonly name: string; readonly type: "i32" | "i64" };

/** What `call`, `delegate_call`, `static_call`, `create` and `create2` return. */
export const CALL_STATUS = { success: 0, revert: 1, fault: 2 } as const;

/** What a program's entry returns, and what `exit` takes. Any other number is a trap. */
export const EXIT_STATUS = { success: 0, revert: 1 } as const;

export const HOST_MODULE = "ostrom";

const SIGNATURES = [
  // The message.
  [1, "input_size", "", "i32"],
  /** Zeros beyond the end, as CALLDATACOPY. */
  [2, "input_copy", "to offset size", "nothing"],
  /** Sets what the message returns or reverts with; the last one counts. */
  [3, "output", "from size", "nothing"],
  /** Ends the program at once (EXIT_STATUS). */
  [4, "exit", "status", "nothing"],
  [5, "address", "to", "nothing"],
  [6, "caller", "to", "nothing"],
  [7, "value", "to", "nothing"],
  [8, "gas_left", "", "i64"],
  // State of the contract.
  [16, "storage_load", "key to", "nothing"],
  [17, "storage_store", "key value", "nothing"],
  [18, "transient_load", "key to", "nothing"],
  [19, "transient_store", "key value", "nothing"],
  /** At most four topics, of a word each, one after the other. */
  [20, "log", "data size topics topic_count", "nothing"],
  // Other contracts. What they return is fetched with return_data_copy. `gas` is the most to pass on (63/64 rule).
  [32, "call", "gas:i64 address value input size", "i32"],
  [33, "delegate_call", "gas:i64 address input size", "i32"],
  [34, "static_call", "gas:i64 address input size", "i32"],
  /** Writes the new contract's address, or zeros. */
  [35, "create", "value code size to", "i32"],
  [36, "create2", "value code size salt to", "i32"],
  [37, "return_data_size", "", "i32"],
  /** Beyond the end is a trap, as RETURNDATACOPY. */
  [38, "return_data_copy", "to offset size", "nothing"],
  [39, "self_destruct", "beneficiary", "nothing"],
  // Accounts.
  [48, "balance", "address to", "nothing"],
  [49, "code_size", "address", "i32"],
  [50, "code_hash", "address to", "nothing"],
  [51, "code_copy", "address to offset size", "nothing"],
  // The transaction and the block.
  [64, "origin", "to", "nothing"],
  [65, "gas_price", "to", "nothing"],
  [66, "blob_hash", "index to", "nothing"],
  [67, "block_number", "", "i64"],
  [68, "timestamp", "", "i64"],
  [69, "gas_limit", "", "i64"],
  [70, "chain_id", "", "i64"],
  [71, "coinbase", "to", "nothing"],
  [72, "prev_randao", "to", "nothing"],
  [73, "base_fee", "to", "nothing"],
  [74, "blob_base_fee", "to", "nothing"],
  /** Zeros for a block that BLOCKHASH does not know. */
  [75, "block_hash", "number:i64 to", "nothing"],
  // Computation that is dear without help; results modulo 2^256, division by zero is 0, as in the EVM.
  [96, "keccak256", "from size to", "nothing"],
  [97, "u256_mul", "a b to", "nothing"],
  [98, "u256_div", "a b to", "nothing"],
  [99, "u256_mod", "a b to", "nothing"],
  [100, "u256_addmod", "a b modulus to", "nothing"],
  [101, "u256_mulmod", "a b modulus to", "nothing"],
  [102, "u256_exp", "base exponent to", "nothing"],
  /** Grows the memory by pages of 64 KB. The size before in pages, or -1. WebAssembly has an instruction for it. */
  [112, "memory_grow", "pages", "i32"],
] as const;

export type HostCallName = (typeof SIGNATURES)[number][1];

export const HOST_CALLS: readonly HostCall[] = SIGNATURES.map(([number, name, parameters, result]) => ({
  number,
  name,
  parameters: parameters
    .split(" ")
    .filter((text) => text.length > 0)
    .map(readParameter),
  result,
}));

function readParameter(text: string): HostParameter {
  const [name, type] = text.split(":");
  return { name: name!, type: type === "i64" ? "i64" : "i32" };
}
