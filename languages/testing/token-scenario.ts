import { type Address, type Bytes, createRandom, hex, must, toHex } from "@ostrom/base";
import type { MessageEngine } from "@ostrom/vm";
import { encodeAbiParameters, encodeFunctionData, erc20Abi, maxUint256, zeroAddress } from "viem";
import type { ContractKind } from "./contract-kinds.ts";
import { accounts, type Effects, Ledger } from "./ledger.ts";

const [deployer, ALICE, BOB] = accounts() as [Address, Address, Address];
export const DEPLOYER: Address = deployer;
export const SUPPLY: bigint = 10n ** 24n;
const NOBODY = hex(zeroAddress) as Address;

export type Step = {
  readonly says: string;
  readonly from: Address;
  readonly data: Bytes;
  readonly value?: bigint;
};

type FunctionName =
  | "name"
  | "symbol"
  | "decimals"
  | "totalSupply"
  | "balanceOf"
  | "transfer"
  | "approve"
  | "allowance"
  | "transferFrom";

function calldata(functionName: FunctionName, ...args: readonly (Address | bigint)[]): Bytes {
  const texts = args.map((arg) => (typeof arg === "bigint" ? arg : toHex(arg)));
  return hex(
    encodeFunctionData({ abi: erc20Abi, functionName, args: texts } as Parameters<
      typeof encodeFunctionData
    >[0]),
  );
}

function step(from: Address, functionName: FunctionName, ...args: readonly (Address | bigint)[]): Step {
  const says = `${functionName}(${args.map((arg) => (typeof arg === "bigint" ? arg : toHex(arg).slice(0, 6))).join(", ")})`;
  return { says, from, data: calldata(functionName, ...args) };
}

export const constructorInput = (supply: bigint): Bytes =>
  hex(encodeAbiParameters([{ type: "uint256" }], [supply]));

const withDirtyAddress = calldata("transfer", BOB, 1n).slice();
withDirtyAddress[4] = 1;
const withDirtyLastByte = calldata("transfer", BOB, 1n).slice();
withDirtyLastByte[4 + 11] = 1;

export const SCENARIO: readonly Step[] = [
  step(ALICE, "name"),
  step(ALICE, "symbol"),
  step(ALICE, "decimals"),
  step(ALICE, "totalSupply"),
  step(ALICE, "balanceOf", DEPLOYER),
  step(ALICE, "balanceOf", ALICE),
  step(DEPLOYER, "transfer", ALICE, 1000n),
  step(DEPLOYER, "transfer", DEPLOYER, 5n),
  step(ALICE, "transfer", BOB, 0n),
  step(ALICE, "transfer", BOB, 1000n),
  step(ALICE, "transfer", BOB, 1n),
  step(DEPLOYER, "transfer", BOB, maxUint256),
  step(DEPLOYER, "transfer", NOBODY, 1n),
  step(NOBODY, "transfer", BOB, 0n),
  step(BOB, "approve", ALICE, 600n),
  step(ALICE, "allowance", BOB, ALICE),
  step(ALICE, "transferFrom", BOB, DEPLOYER, 500n),
  step(ALICE, "allowance", BOB, ALICE),
  step(ALICE, "transferFrom", BOB, DEPLOYER, 101n),
  step(ALICE, "transferFrom", BOB, NOBODY, 1n),
  step(ALICE, "transferFrom", BOB, ALICE, 100n),
  step(BOB, "approve", ALICE, maxUint256),
  step(ALICE, "transferFrom", BOB, ALICE, 100n),
  step(ALICE, "transferFrom", BOB, ALICE, 10n ** 20n),
  step(ALICE, "allowance", BOB, ALICE),
  step(BOB, "approve", NOBODY, 1n),
  step(NOBODY, "approve", ALICE, 1n),
  step(ALICE, "transferFrom", NOBODY, BOB, 0n),
  step(DEPLOYER, "balanceOf", NOBODY),
  { says: "no function", from: ALICE, data: hex("deadbeef") },
  { says: "no selector", from: ALICE, data: hex("a9059c") },
  { says: "no input", from: ALICE, data: hex("") },
  { says: "arguments cut short", from: DEPLOYER, data: calldata("transfer", BOB, 1n).slice(0, -1) },
  { says: "only a selector", from: DEPLOYER, data: calldata("transfer", BOB, 1n).slice(0, 4) },
  { says: "arguments too long", from: DEPLOYER, data: new Uint8Array([...calldata("transfer", BOB, 1n), 7]) },
  { says: "an address with a bit before it", from: DEPLOYER, data: withDirtyAddress },
  { says: "an address with a bit right before it", from: DEPLOYER, data: withDirtyLastByte },
  { says: "value", from: DEPLOYER, data: calldata("transfer", BOB, 1n), value: 1n },
  { says: "value to a view", from: DEPLOYER, data: calldata("totalSupply"), value: 1n },
];

export type Observed = {
  readonly says: string;
  readonly effects: Effects;
  readonly storage: ReturnType<Ledger["storageOf"]>;
};

/** Runs the steps against one kind of token: all that others can see, and what each step cost. */
export function observe(
  kind: ContractKind,
  execute: MessageEngine,
  steps: readonly Step[],
): { readonly seen: readonly Observed[]; readonly gas: readonly bigint[] } {
  const ledger = new Ledger(execute);
  const { address, sent } = ledger.deploy(DEPLOYER, kind.token(constructorInput(SUPPLY)));
  // What a creation returns is the code, which is each kind's own.
  const deployed = {
    says: "deployed",
    effects: { ...sent.effects, output: "" },
    storage: ledger.storageOf(address),
  };
  const gas = [sent.gasUsed];
  const seen = steps.map(({ says, ...sending }) => {
    const { effects, gasUsed } = ledger.send({ to: address, ...sending });
    gas.push(gasUsed);
    return { says, effects, storage: ledger.storageOf(address) };
  });
  return { seen: [deployed, ...seen], gas };
}

/** Calls that make sense or not, one in eight with damaged input; always the same ones. */
export function randomSteps(count: number): readonly Step[] {
  const { below } = createRandom(20);
  const parties = [DEPLOYER, ALICE, BOB, NOBODY];
  const party = (): Address => must(parties[below(parties.length)], "within the list");
  const amounts = [
    0n,
    1n,
    7n,
    100n,
    SUPPLY / 3n,
    SUPPLY,
    SUPPLY + 1n,
    2n ** 64n,
    2n ** 128n - 1n,
    maxUint256,
  ];
  const amount = (): bigint => must(amounts[below(amounts.length)], "within the list");
  return Array.from({ length: count }, () => {
    const calls = [
      () => step(party(), "transfer", party(), amount()),
      () => step(party(), "approve", party(), amount()),
      () => step(party(), "transferFrom", party(), party(), amount()),
      () => step(party(), "balanceOf", party()),
      () => step(party(), "allowance", party(), party()),
    ];
    const made = must(calls[below(calls.length)], "within the list")();
    if (below(8) > 0) return made;
    const data = made.data.slice(0, below(made.data.length + 1));
    if (data.length > 0) data[below(data.length)] = below(256);
    return { ...made, says: `${made.says}, damaged`, data };
  });
}
