/** Host calls, as core/vm/contract-host/host-calls.ts defines them. */
export namespace host {
  @external("ostrom", "input_size")
  export declare function inputSize(): u32;
  @external("ostrom", "input_copy")
  export declare function inputCopy(to: usize, offset: u32, size: u32): void;
  @external("ostrom", "output")
  export declare function output(from: usize, size: u32): void;
  @external("ostrom", "exit")
  export declare function exit(status: u32): void;
  @external("ostrom", "address")
  export declare function address(to: usize): void;
  @external("ostrom", "caller")
  export declare function caller(to: usize): void;
  @external("ostrom", "value")
  export declare function value(to: usize): void;
  @external("ostrom", "gas_left")
  export declare function gasLeft(): u64;

  @external("ostrom", "storage_load")
  export declare function storageLoad(key: usize, to: usize): void;
  @external("ostrom", "storage_store")
  export declare function storageStore(key: usize, value: usize): void;
  @external("ostrom", "transient_load")
  export declare function transientLoad(key: usize, to: usize): void;
  @external("ostrom", "transient_store")
  export declare function transientStore(key: usize, value: usize): void;
  @external("ostrom", "log")
  export declare function log(data: usize, size: u32, topics: usize, topicCount: u32): void;

  @external("ostrom", "call")
  export declare function call(gas: u64, to: usize, value: usize, input: usize, size: u32): u32;
  @external("ostrom", "delegate_call")
  export declare function delegateCall(gas: u64, to: usize, input: usize, size: u32): u32;
  @external("ostrom", "static_call")
  export declare function staticCall(gas: u64, to: usize, input: usize, size: u32): u32;
  @external("ostrom", "create")
  export declare function create(value: usize, code: usize, size: u32, to: usize): u32;
  @external("ostrom", "create2")
  export declare function create2(value: usize, code: usize, size: u32, salt: usize, to: usize): u32;
  @external("ostrom", "return_data_size")
  export declare function returnDataSize(): u32;
  @external("ostrom", "return_data_copy")
  export declare function returnDataCopy(to: usize, offset: u32, size: u32): void;
  @external("ostrom", "self_destruct")
  export declare function selfDestruct(beneficiary: usize): void;

  @external("ostrom", "balance")
  export declare function balance(account: usize, to: usize): void;
  @external("ostrom", "code_size")
  export declare function codeSize(account: usize): u32;
  @external("ostrom", "code_hash")
  export declare function codeHash(account: usize, to: usize): void;
  @external("ostrom", "code_copy")
  export declare function codeCopy(account: usize, to: usize, offset: u32, size: u32): void;

  @external("ostrom", "origin")
  export declare function origin(to: usize): void;
  @external("ostrom", "gas_price")
  export declare function gasPrice(to: usize): void;
  @external("ostrom", "blob_hash")
  export declare function blobHash(index: u32, to: usize): void;
  @external("ostrom", "block_number")
  export declare function blockNumber(): u64;
  @external("ostrom", "timestamp")
  export declare function timestamp(): u64;
  @external("ostrom", "gas_limit")
  export declare function gasLimit(): u64;
  @external("ostrom", "chain_id")
  export declare function chainId(): u64;
  @external("ostrom", "coinbase")
  export declare function coinbase(to: usize): void;
  @external("ostrom", "prev_randao")
  export declare function prevRandao(to: usize): void;
  @external("ostrom", "base_fee")
  export declare function baseFee(to: usize): void;
  @external("ostrom", "blob_base_fee")
  export declare function blobBaseFee(to: usize): void;
  @external("ostrom", "block_hash")
  export declare function blockHash(number: u64, to: usize): void;

  @external("ostrom", "keccak256")
  export declare function keccak256(from: usize, size: u32, to: usize): void;
  @external("ostrom", "u256_mul")
  export declare function u256Mul(a: usize, b: usize, to: usize): void;
  @external("ostrom", "u256_div")
  export declare function u256Div(a: usize, b: usize, to: usize): void;
  @external("ostrom", "u256_mod")
  export declare function u256Mod(a: usize, b: usize, to: usize): void;
  @external("ostrom", "u256_addmod")
  export declare function u256Addmod(a: usize, b: usize, modulus: usize, to: usize): void;
  @external("ostrom", "u256_mulmod")
  export declare function u256Mulmod(a: usize, b: usize, modulus: usize, to: usize): void;
  @external("ostrom", "u256_exp")
  export declare function u256Exp(base: usize, exponent: usize, to: usize): void;
}
