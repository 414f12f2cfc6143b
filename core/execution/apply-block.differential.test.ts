import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { createBlock } from "@ethereumjs/block";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createTxFromRLP } from "@ethereumjs/tx";
import { createAccount, createAddressFromString } from "@ethereumjs/util";
import { createVM, runBlock, type VM } from "@ethereumjs/vm";
import { addressFromHex, concatBytes, createRandom, hex, padLeft, toHex, wordToBytes } from "@ostrom/base";
import type { GenesisAccount } from "@ostrom/state";
import secp256k1 from "secp256k1";
import { FACTORY, HISTORIAN, LOGGER, mixedAccounts, mixedPayload, WRITER } from "./testing/mixed-payloads.ts";
import { contractAt, TEST_CHAIN_ID, TestChain, testGenesis } from "./testing/test-chain.ts";
import type { ExecutedBlock } from "./types.ts";
import { validatorSetContract } from "./validator-set-contracts.ts";

const BLOCKS = 200;
/** Native code, because the other implementation's own takes most of the time. */
const FAST_CRYPTO = {
  keccak256: (data: Uint8Array): Uint8Array => hash("keccak-256", data, "buffer"),
  ecrecover: (digest: Uint8Array, v: bigint, r: Uint8Array, s: Uint8Array, chainId?: bigint): Uint8Array => {
    const parity = v === 0n || v === 1n ? v : chainId === undefined ? v - 27n : v - (chainId * 2n + 35n);
    const signature = concatBytes(padLeft(r, 32), padLeft(s, 32));
    return secp256k1.ecdsaRecover(signature, Number(parity), digest, false).slice(1);
  },
};
/** The other implementation asks these at the end of each Prague block (EIP-7002, EIP-7251) and wants them to be there. They
 * answer nothing. */
const REQUEST_CONTRACTS: readonly GenesisAccount[] = [
  contractAt(addressFromHex("00000961ef480eb55e80d19ad83579a64c007002"), hex("00")),
  contractAt(addressFromHex("0000bbddc7ce488642fb579f8b00f3a590007251"), hex("00")),
];

async function theirVm(chain: TestChain): Promise<VM> {
  const common = new Common({
    chain: { ...Mainnet, chainId: Number(TEST_CHAIN_ID) },
    hardfork: Hardfork.Osaka,
    customCrypto: FAST_CRYPTO,
  });
  const blockchain = {
    getBlock: async (number: number) => ({ hash: () => chain.blockHash(BigInt(number))! }),
    putBlock: async () => undefined,
    shallowCopy: () => blockchain,
  };
  const vm = await createVM({ common, blockchain: blockchain as never });
  const { genesis } = chain;
  for (const account of [
    ...genesis.alloc,
    validatorSetContract(genesis.validatorSet, genesis.validatorSets),
  ]) {
    const address = createAddressFromString(toHex(account.address));
    await vm.stateManager.putAccount(
      address,
      createAccount({ nonce: account.nonce, balance: account.balance }),
    );
    if (account.code.length > 0) await vm.stateManager.putCode(address, account.code);
    for (const { slot, value } of account.storage) {
      if (value === 0n) continue;
      await vm.stateManager.putStorage(
        address,
        wordToBytes(slot),
        hex(
          value
            .toString(16)
            .padStart(64, "0")
            .replace(/^(00)+/, ""),
        ),
      );
    }
  }
  return vm;
}

/** Runs what our block contains there; all its roots, its gas and its bloom are compared in it. */
async function runThere(vm: VM, block: ExecutedBlock): Promise<void> {
  const { header } = block;
  const { common } = vm;
  const theirs = createBlock(
    {
      header: {
        ...header,
        uncleHash: header.ommersHash,
        receiptTrie: header.receiptsRoot,
        transactionsTrie: header.transactionsRoot,
        mixHash: header.prevRandao,
        coinbase: toHex(header.coinbase),
        requestsHash: header.requestsHash!,
      } as never,
      transactions: block.transactions.map(({ raw }) => createTxFromRLP(raw, { common })),
      withdrawals: [],
    },
    { common, setHardfork: false },
  );
  assert.equal(toHex(theirs.hash()), toHex(block.hash), "both hash the header alike");
  assert.equal(await theirs.transactionsTrieIsValid(), true);
  await runBlock(vm, { block: theirs, skipBlockValidation: true });
}

test(`@ethereumjs/vm comes to the same roots, gas, blooms and hashes over ${BLOCKS} generated blocks`, async (t) => {
  const random = createRandom(20_251_123);
  const genesis = testGenesis({
    fork: "osaka",
    accounts: [...mixedAccounts(), ...REQUEST_CONTRACTS],
    validators: 2,
    keys: null,
  });
  const chain = new TestChain(genesis);
  const vm = await theirVm(chain);
  assert.equal(
    toHex(await vm.stateManager.getStateRoot()),
    toHex(chain.state.stateRoot),
    "the same genesis state",
  );
  let transactions = 0;
  let failed = 0;
  const ran = new Set<string>();
  const skips = new Map<string, number>();
  for (let i = 0; i < BLOCKS; i++) {
    const block = chain.execute(mixedPayload(chain, random));
    await runThere(vm, block);
    transactions += block.transactions.length;
    block.receipts.forEach(({ succeeded, type }, index) => {
      const { to } = block.transactions[index]!;
      if (succeeded) ran.add(`${type} ${to === undefined ? "creation" : toHex(to)}`);
    });
    failed += block.receipts.filter(({ succeeded }) => !succeeded).length;
    for (const { reason } of block.skipped) skips.set(reason.code, (skips.get(reason.code) ?? 0) + 1);
  }
  for (const contract of [WRITER, LOGGER, HISTORIAN, FACTORY]) assert.ok(ran.has(`2 ${toHex(contract)}`));
  for (const kind of ["0 creation", "1 creation", "2 creation", `4 ${toHex(WRITER)}`])
    assert.ok(ran.has(kind), kind);
  assert.ok(transactions > BLOCKS && failed > 0 && skips.size >= 4, "the payloads are mixed");
  t.diagnostic(`${transactions} transactions, ${failed} failed; skipped: ${JSON.stringify([...skips])}`);
});
