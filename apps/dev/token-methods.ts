import { type Address, type Bytes, bytesToBigint, concatBytes, hex, ZERO_ADDRESS } from "@ostrom/base";
import type { AccountOverride, CallRequest } from "@ostrom/execution";
import { type Method, parameterTypes, required } from "@ostrom/rpc";
import { type Controls, setStorage } from "./controls.ts";
import { amount, define, invalidInput } from "./method-parts.ts";
import type { DevelopmentCall, Simulations } from "./simulations.ts";

/** balanceOf(address), allowance(address,address). Source: ERC-20. */
const BALANCE_OF: Bytes = hex("70a08231");
const ALLOWANCE: Bytes = hex("dd62ed3e");
const WORD_BYTES = 32;
const ADDRESS_PADDING = new Uint8Array(12);

/** Sets what a token says somebody has, or may spend, by the slot of its storage that says so: the one that changes the answer. */
export function tokenMethods(
  controls: Controls,
  simulations: Simulations,
  gasCap: () => bigint,
): readonly Method[] {
  const set = async (token: Address, question: CallRequest, value: bigint): Promise<null> => {
    const ask = (accountOverrides: readonly AccountOverride[]): DevelopmentCall => ({
      request: question,
      accountOverrides,
      blockOverride: {},
      gasCap: gasCap(),
      place: { kind: "next" },
    });
    for (const slot of simulations.slotsRead(ask([]), token)) {
      const answer = simulations.quietly(ask([{ address: token, storageDiff: [[slot, value]] }]));
      if (!answer.ok || answer.value.output.length !== WORD_BYTES) continue;
      if (bytesToBigint(answer.value.output) !== value) continue;
      await setStorage(controls, token, slot, value);
      return null;
    }
    throw invalidInput("no slot of the token's storage says it: it is no plain ERC-20");
  };
  const { address } = parameterTypes;
  const deal = define({
    name: "anvil_dealERC20",
    summary: "Sets what somebody has of an ERC-20 token.",
    parameters: [required("address", address), required("token", address), required("balance", amount)],
    returns: "null",
    run: (of, token, balance) => set(token, questionOf(token, BALANCE_OF, of), balance),
  });
  return [
    deal,
    { ...deal, name: "anvil_setERC20Balance" },
    define({
      name: "anvil_setERC20Allowance",
      summary: "Sets what somebody may spend of somebody else's ERC-20 tokens.",
      parameters: [
        required("owner", address),
        required("spender", address),
        required("token", address),
        required("amount", amount),
      ],
      returns: "null",
      run: (owner, spender, token, value) => set(token, questionOf(token, ALLOWANCE, owner, spender), value),
    }),
  ];
}

function questionOf(token: Address, selector: Bytes, ...of: readonly Address[]): CallRequest {
  const data = concatBytes(selector, ...of.flatMap((address) => [ADDRESS_PADDING, address]));
  return { from: ZERO_ADDRESS, to: token, data };
}
