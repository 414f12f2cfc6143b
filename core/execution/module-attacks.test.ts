import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, fromHex, toHex, unwrap } from "@ostrom/base";
import { bls } from "@ostrom/crypto";
import { encodeFunctionData } from "viem";
import { frozenHeight } from "./epochs.ts";
import { genesisModule } from "./installed-modules.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import { readNextValidatorSet } from "./next-validator-set.ts";
import { addressOfSecretKey } from "./signature.ts";
import { ContractChain, MANAGED_ABI, REGISTRY_ABI } from "./testing/contract-chain.ts";
import { ALICE, AUTHORITY, BOB, nameWord, transactionOf } from "./testing/module-chain.ts";
import { funded, testGenesis, testValidator } from "./testing/test-chain.ts";
import { installed, SETS, SPOIL_PROOFS, sets, writeData } from "./testing/test-modules.ts";
import { readValidatorSet, VALIDATOR_SET_ADDRESS } from "./validator-set.ts";

const EPOCHS = { epochLength: 10, epochLead: 3 };

test("a key that a contract's set has without a proof is not taken for proved when a module takes the port over", () => {
  const module = sets();
  const accounts = [AUTHORITY, ALICE, BOB].map((key) => funded(addressOfSecretKey(key)));
  const genesis = testGenesis({
    accounts,
    validators: 7,
    ...EPOCHS,
    validatorSets: { kind: "managed", owner: addressOfSecretKey(BOB) },
    modules: { authority: addressOfSecretKey(AUTHORITY), active: [genesisModule(module, EMPTY_BYTES)] },
  });
  const { verifyPossession } = bls();
  const options = { modules: installed([module]), verifyPossession };
  const chain = new ContractChain(genesis, MANAGED_ABI, VALIDATOR_SET_ADDRESS, options);
  const added = testValidator(7);
  const argument = {
    account: toHex(added.address),
    weight: 8n,
    port: added.port,
    name: added.name,
    host: added.host,
    consensusKey: toHex(added.consensusKey),
    proofOfPossession: toHex(testValidator(6).proofOfPossession),
    transportKey: toHex(added.transportKey),
  };
  assert.equal(chain.send(BOB, "addValidator", [argument]), "done");
  const inForce = genesis.validatorSet;
  assert.deepEqual(readNextValidatorSet(chain.state, inForce, verifyPossession).leftOut, ["validator-7"]);
  const data = encodeFunctionData({
    abi: REGISTRY_ABI,
    functionName: "handOver",
    args: [nameWord("sets"), 1n],
  });
  chain.execute([
    transactionOf(AUTHORITY, 0, MODULE_REGISTRY_ADDRESS, unwrap(fromHex(data))),
    transactionOf(ALICE, 0, SETS, writeData(0n, SPOIL_PROOFS | 0b1111_1111n)),
  ]);
  chain.advance(frozenHeight(EPOCHS, 0));
  assert.deepEqual(chain.applied?.port, { holder: "sets", isNew: true, refused: [] });
  const inState = unwrap(readValidatorSet(chain.state)).validators.map(({ name }) => name);
  const next = readNextValidatorSet(chain.state, inForce, verifyPossession).set.validators.map(
    ({ name }) => name,
  );
  assert.deepEqual(inState, next, "what state says, and modules count by, is the set that votes");
  assert.equal(inState.includes("validator-7"), false);
});
