import { createBlock } from "@ethereumjs/block";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createEVM } from "@ethereumjs/evm";
import { Account, Address } from "@ethereumjs/util";
import { bigintToMinimalBytes, wordToBytes } from "@ostrom/base";
import { BENCHMARK_BLOCK, type BenchmarkInput, type InputRun } from "./evm-benchmark-file.ts";

/** The same message in @ethereumjs/evm, on its simplest state; what a run changes is undone outside the time taken. */
export async function createEthereumjs(input: BenchmarkInput): Promise<() => Promise<InputRun>> {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun });
  const evm = await createEVM({ common });
  for (const { address, nonce, balance, code, storage } of input.accounts) {
    const theirs = new Address(address);
    await evm.stateManager.putAccount(theirs, new Account(nonce, balance));
    if (code.length > 0) await evm.stateManager.putCode(theirs, code);
    for (const { slot, value } of storage)
      if (value > 0n)
        await evm.stateManager.putStorage(theirs, wordToBytes(slot), bigintToMinimalBytes(value));
  }
  const { number, timestamp, gasLimit, baseFeePerGas, coinbase, prevRandao } = BENCHMARK_BLOCK;
  const block = createBlock(
    {
      header: {
        number,
        timestamp,
        gasLimit,
        baseFeePerGas,
        coinbase: new Address(coinbase),
        mixHash: prevRandao,
      },
    },
    { common, skipConsensusFormatValidation: true },
  );
  const caller = new Address(input.sender);
  const to = new Address(input.to);
  return async () => {
    await evm.stateManager.checkpoint();
    const start = performance.now();
    const { execResult } = await evm.runCall({
      caller,
      origin: caller,
      to,
      data: input.data,
      value: input.value,
      gasLimit: input.gas,
      gasPrice: 10n,
      block,
    });
    const us = (performance.now() - start) * 1000;
    await evm.stateManager.revert();
    const error = execResult.exceptionError?.error;
    const status = error === undefined ? "success" : error === "revert" ? "revert" : "fault";
    return { us, gas: Number(execResult.executionGasUsed), output: execResult.returnValue, status };
  };
}
