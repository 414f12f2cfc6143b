import { createBlock } from "@ethereumjs/block";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createTxFromRLP } from "@ethereumjs/tx";
import { type KZG, Account as TheirAccount, Address as TheirAddress } from "@ethereumjs/util";
import { createVM, runTx, type VM } from "@ethereumjs/vm";
import { bigintToMinimalBytes, wordToBytes } from "@ostrom/base";
import type { Fork } from "@ostrom/vm";
import type { Scenario } from "../../../tools/vectors/scenario.ts";

/** A step as @ethereumjs/vm tells of it. */
export type TheirStep = {
  readonly programCounter: number;
  readonly opcode: number;
  /** Before it runs. */
  readonly gasLeft: bigint;
  /** 1 for the transaction's own message. */
  readonly depth: number;
  readonly stack: readonly bigint[];
};

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

/** Runs a scenario's transaction in @ethereumjs/vm. @returns its steps; none if it is refused. */
export async function observeTheirSteps(scenario: Scenario): Promise<readonly TheirStep[]> {
  const { fork, block, transaction } = scenario;
  const common = new Common({ chain: Mainnet, hardfork: HARDFORKS[fork], customCrypto: { kzg: NO_KZG } });
  const vm = await createVM({ common });
  await putAccounts(vm, scenario);
  const steps: TheirStep[] = [];
  vm.evm.events?.on("step", ({ pc, opcode, gasLeft, depth, stack }) => {
    steps.push({ programCounter: pc, opcode: opcode.code, gasLeft, depth: depth + 1, stack: [...stack] });
  });
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
  const ran = await runTx(vm, { tx, block: theirBlock }).catch(() => undefined);
  return ran === undefined ? [] : steps;
}

async function putAccounts({ stateManager }: VM, { accounts }: Scenario): Promise<void> {
  for (const { address, nonce, balance, code, storage } of accounts) {
    const theirs = new TheirAddress(address);
    await stateManager.putAccount(theirs, new TheirAccount(nonce, balance));
    if (code.length > 0) await stateManager.putCode(theirs, code);
    for (const { slot, value } of storage) {
      if (value > 0n) await stateManager.putStorage(theirs, wordToBytes(slot), bigintToMinimalBytes(value));
    }
  }
}
