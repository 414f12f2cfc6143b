import assert from "node:assert/strict";
import { test } from "node:test";
import { addressToWord, type Bytes, createRandom, EMPTY_BYTES, type Random, toHex } from "@ostrom/base";
import { formatGenesis } from "./genesis-format.ts";
import { parseGenesis } from "./genesis-json.ts";
import { genesisModule } from "./installed-modules.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import { addressOfSecretKey } from "./signature.ts";
import type { ContractChain } from "./testing/contract-chain.ts";
import {
  ALICE,
  AUTHORITY,
  BOB,
  isNotZero,
  moduleChain,
  nameWord,
  transactionOf,
} from "./testing/module-chain.ts";
import { testKey } from "./testing/random-transactions.ts";
import { funded, TEST_CHAIN_ID, TestChain, testGenesis } from "./testing/test-chain.ts";
import {
  counter,
  DOUBLER,
  doubler,
  GATE,
  gate,
  installed,
  SETS,
  sets,
  writeData,
} from "./testing/test-modules.ts";
import { signTransaction } from "./transaction.ts";

const ALL = [counter(1), counter(2), gate(1), gate(2), sets(), doubler()];

/** What random people do in one block: the authority schedules and cancels, others write, call, create and transfer. */
function randomPayload(chain: ContractChain, random: Random): Bytes[] {
  const height = chain.head.header.number + 1;
  const nonce = (key: Bytes) => Number(chain.state.account(addressOfSecretKey(key))?.nonce ?? 0n);
  const module = ALL[random.below(ALL.length)]!;
  const from = height + 10 + random.below(6);
  const settings = toHex(random.bytes(random.below(70)));
  const acts = [
    ["schedule", [nameWord(module.name), module.version, toHex(module.codeHash), from, settings]],
    ["cancel", [nameWord(module.name), from]],
    ["scheduleFork", [nameWord("osaka"), from]],
    ["handOver", [nameWord("sets"), Math.floor(height / 10) + random.below(3)]],
  ] as const;
  const [functionName, args] = acts[random.below(random.chance(1, 2) ? 1 : acts.length)]!;
  const people = [ALICE, BOB].flatMap((key) => {
    const who = addressOfSecretKey([ALICE, BOB][random.below(2)]!);
    const acts = [
      transactionOf(key, nonce(key), SETS, writeData(0n, BigInt(random.below(256)))),
      transactionOf(key, nonce(key), GATE, writeData(addressToWord(who), BigInt(random.below(2)))),
      transactionOf(key, nonce(key), DOUBLER, random.bytes(32)),
      transactionOf(key, nonce(key), undefined, EMPTY_BYTES),
    ];
    return random.chance(2, 3) ? [acts[random.below(acts.length)]!] : [];
  });
  const act = random.chance(1, 2) ? [chain.call(AUTHORITY, functionName, args)] : [];
  return [...act, ...people];
}

test("a chain with modules that come, change and decide, executed again from genesis, has the same hashes", () => {
  let activations = 0;
  let forbidden = 0;
  let handovers = 0;
  for (let seed = 1; seed <= 3; seed++) {
    const random = createRandom(seed);
    const chain = moduleChain({ has: ALL, fork: "prague", epochLength: 10, epochLead: 3, validators: 2 });
    const payloads: Bytes[][] = [];
    for (let n = 0; n < 50; n++) {
      const payload = randomPayload(chain, random);
      payloads.push(payload);
      const { skipped } = chain.execute(payload);
      forbidden += skipped.filter(({ reason }) => reason.code === "execution/not-permitted").length;
      activations += chain.applied?.activations.length ?? 0;
      handovers += chain.applied?.port?.isNew === true ? 1 : 0;
    }
    const read = parseGenesis(JSON.parse(JSON.stringify(formatGenesis(chain.genesis))));
    assert.ok(read.ok && read.value.consensus.engine === "simplex");
    const genesis = { ...read.value, consensus: read.value.consensus };
    const again = new TestChain(genesis, {
      modules: installed(ALL.toReversed()),
      verifyPossession: isNotZero,
    });
    for (const payload of payloads) again.execute(payload);
    assert.deepEqual(
      again.blocks.map(({ hash }) => toHex(hash)),
      chain.blocks.map(({ hash }) => toHex(hash)),
    );
  }
  assert.ok(
    activations > 8 && forbidden > 8 && handovers > 0,
    JSON.stringify({ activations, forbidden, handovers }),
  );
});

test("a permission that was taken away does not invalidate the blocks from before (besu#1476)", () => {
  const active = [[gate(), EMPTY_BYTES]] as const;
  const chain = moduleChain({ active });
  const alice = addressOfSecretKey(ALICE);
  const payloads = [
    [],
    [transactionOf(ALICE, 0, GATE, writeData(9n, 9n)), transactionOf(ALICE, 1, undefined, EMPTY_BYTES)],
    [transactionOf(AUTHORITY, 0, GATE, writeData(addressToWord(alice), 1n))],
    [transactionOf(ALICE, 2, GATE, writeData(9n, 10n))],
  ];
  const included = payloads.map((payload) => chain.execute(payload).transactions.length);
  assert.deepEqual(included, [0, 2, 1, 0], "Alice may in block 2, and no more in block 4");
  // A node that joins now has today's permissions nowhere but in the blocks themselves.
  const joined = new TestChain(chain.genesis, { modules: installed([gate()]) });
  for (const payload of payloads) joined.execute(payload);
  assert.deepEqual(joined.blocks, chain.blocks);
});

/** Hashes of genesis and block 10 before chains could have modules; where a contract holds the set, since its code knows signature schemes. */
const WITHOUT_MODULES = [
  [
    { kind: "fixed" },
    "0xa9cf796b8fcfd709a85eaa3c865ad55e9e88d2bc0f9acbdb0da44017a9ec822c",
    "0xfa8240c0ce96b1afe82588abfb8d61efdc6b38b2259d051843a3c8529bcf1e60",
  ],
  [
    { kind: "managed", owner: addressOfSecretKey(testKey(1)) },
    "0xedfe6cf9ee4cb632d168094caf80a3b07afb5919a0a8ae5bcc009f298f2d5da1",
    "0x6427d562a64b6389a13c114443692944c10d8ce64d3ef98706d5f9263a44c1c2",
  ],
  [
    {
      kind: "work",
      initialTarget: 2n ** 250n,
      ticketsPerEpoch: 8,
      windowEpochs: 2,
      minValidators: 1,
      maxValidators: 8,
    },
    "0x8fb7871a9ebd2a87cd339ad9fd5eb517fe99883cd32acf460a1851f84710b950",
    "0xdff15403988a2e111e87d98154f79b3c4339ba5ff3962239305ce6bc6abf3400",
  ],
] as const;

test("a chain without a registry has the hashes that it had before there were modules", () => {
  const key = testKey(1);
  const from = addressOfSecretKey(key);
  for (const [validatorSets, genesisHash, hash] of WITHOUT_MODULES) {
    const accounts = [funded(from)];
    const genesis = testGenesis({ accounts, validators: 3, epochLength: 4, validatorSets, keys: null });
    const chain = new TestChain(genesis, { modules: installed(ALL) });
    const fields = {
      chainId: TEST_CHAIN_ID,
      gasLimit: 21_000n,
      maxFeePerGas: 10n ** 12n,
      to: from,
      value: 1n,
    };
    for (let n = 0n; n < 10n; n++) chain.execute([signTransaction({ ...fields, nonce: n }, key).raw]);
    assert.equal(toHex(chain.blocks[0]!.hash), genesisHash);
    assert.equal(toHex(chain.head.hash), hash);
    assert.equal(chain.state.account(MODULE_REGISTRY_ADDRESS), undefined);
  }
});

test("modules, their settings, their order and who has authority over them all name the chain", () => {
  const accounts = [funded(addressOfSecretKey(ALICE))];
  const two = [genesisModule(counter(1), EMPTY_BYTES), genesisModule(gate(), EMPTY_BYTES)];
  const authority = addressOfSecretKey(ALICE);
  const variants = [
    { authority: undefined, active: [] },
    { authority, active: [] },
    { authority: undefined, active: two },
    { authority, active: two },
    { authority, active: two.toReversed() },
    { authority, active: [two[0]!, { ...two[1]!, settings: Uint8Array.of(0) }] },
    { authority, active: [two[0]!, { ...two[1]!, version: 2 }] },
    { authority, active: [two[0]!, { ...two[1]!, codeHash: two[0]!.codeHash }] },
  ];
  const hashes = variants.map((modules) =>
    toHex(new TestChain(testGenesis({ accounts, modules })).head.hash),
  );
  assert.equal(new Set(hashes).size, variants.length);
});
