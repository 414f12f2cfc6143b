import { createBlock } from "@ethereumjs/block";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createTxFromRLP } from "@ethereumjs/tx";
import { type KZG, Account as TheirAccount, Address as TheirAddress } from "@ethereumjs/util";
import { createVM, type RunTxResult, runTx, type VM } from "@ethereumjs/vm";
import { bigintToMinimalBytes, wordToBytes } from "@ostrom/base";
import type { Fork } from "@ostrom/vm";
import type { Scenario } from "./scenario.ts";

const HARDFORKS: Readonly<Record<Fork, Hardfork>> = {
  cancun: Hardfork.Cancun,
  prague: Hardfork.Prague,
  osaka: Hardfork.Osaka,
};

/** Blob transactions cannot be made without one, though running them needs none. */
const NO_KZG: KZG = {
  blobToKzgCommitment: unused,
  computeBlobProof: unused,
  verifyProof: unused,
  verifyBlobProofBatch: unused,
  computeCells: unused,
  computeCellsAndProofs: unused,
  recoverCellsAndProofs: unused,
  verifyCellKzgProofBatch: unused,
};

function unused(): never {
  throw new Error("no generated program calls KZG");
}

/** Runs a scenario's transaction in @ethereumjs/vm. @param watch is given the machine before it runs.
 * @returns the machine afterwards, and what came of it; undefined if the transaction is refused. */
export async function runInTheirVm(
  { fork, accounts, block, transaction }: Scenario,
  watch: (vm: VM) => void = () => undefined,
): Promise<{ readonly vm: VM; readonly ran: RunTxResult | undefined }> {
  const common = new Common({ chain: Mainnet, hardfork: HARDFORKS[fork], customCrypto: { kzg: NO_KZG } });
  const vm = await createVM({ common });
  const { stateManager } = vm;
  for (const { address, nonce, balance, code, storage } of accounts) {
    const theirs = new TheirAddress(address);
    await stateManager.putAccount(theirs, new TheirAccount(nonce, balance));
    if (code.length > 0) await stateManager.putCode(theirs, code);
    for (const { slot, value } of storage) {
      if (value > 0n) await stateManager.putStorage(theirs, wordToBytes(slot), bigintToMinimalBytes(value));
    }
  }
  watch(vm);
  const header = {
    number: block.number,
    timestamp: block.timestamp,
    gasLimit: block.gasLimit,
    baseFeePerGas: block.baseFeePerGas,
    coinbase: new TheirAddress(block.coinbase),
    mixHash: block.prevRandao,
    excessBlobGas: block.excessBlobGas,
  };
  const theirBlock = createBlock({ header }, { common, skipConsensusFormatValidation: true });
  const tx = createTxFromRLP(transaction.raw, { common });
  return { vm, ran: await runTx(vm, { tx, block: theirBlock }).catch(() => undefined) };
}
