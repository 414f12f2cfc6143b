/** An ERC-20 token, as OpenZeppelin's behaves: its errors, its order of checks, its storage (slot 0: balances, 1: allowances,
 * 2: total supply). The constructor's argument is the initial supply, which goes to the deployer. */
import {
  Address,
  Arguments,
  caller,
  EXIT_SUCCESS,
  emitWord,
  refuseValue,
  returnBool,
  returnString,
  returnWord,
  revertEmpty,
  revertError,
  Slot,
  selectorOfInput,
  U256,
  Word,
} from "../ostrom";

// node languages/tools/selectors.ts "name()" ...
const NAME: u32 = 0x06fdde03;
const SYMBOL: u32 = 0x95d89b41;
const DECIMALS: u32 = 0x313ce567;
const TOTAL_SUPPLY: u32 = 0x18160ddd;
const BALANCE_OF: u32 = 0x70a08231;
const TRANSFER: u32 = 0xa9059cbb;
const APPROVE: u32 = 0x095ea7b3;
const ALLOWANCE: u32 = 0xdd62ed3e;
const TRANSFER_FROM: u32 = 0x23b872dd;

const INSUFFICIENT_BALANCE: u32 = 0xe450d38c;
const INVALID_SENDER: u32 = 0x96c6fd1e;
const INVALID_RECEIVER: u32 = 0xec442f05;
const INSUFFICIENT_ALLOWANCE: u32 = 0xfb8f41b2;
const INVALID_APPROVER: u32 = 0xe602df05;
const INVALID_SPENDER: u32 = 0x94280d62;

const TRANSFER_EVENT: usize = memory.data<u8>([
  0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1,
  0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef,
]);
const APPROVAL_EVENT: usize = memory.data<u8>([
  0x8c, 0x5b, 0xe1, 0xe5, 0xeb, 0xec, 0x7d, 0x5b, 0xd1, 0x4f, 0x71, 0x42, 0x7d, 0x1e, 0x84, 0xf3, 0xdd, 0x03, 0x14, 0xc0,
  0xf7, 0xb2, 0x29, 0x1e, 0x5b, 0x20, 0x0a, 0xc8, 0xc7, 0xc3, 0xb9, 0x25,
]);

function balanceOf(owner: Address): Slot {
  return Slot.at(0).of(owner);
}

function allowanceOf(owner: Address, spender: Address): Slot {
  return Slot.at(1).of(owner).of(spender);
}

function supply(): Slot {
  return Slot.at(2);
}

function mint(to: Address, amount: U256): void {
  if (to.isZero) revertError(INVALID_RECEIVER, to);
  const balance = balanceOf(to);
  const total = supply();
  total.u256 = total.u256 + amount;
  balance.u256 = balance.u256 + amount;
  emitWord(amount.toWord(), Word.at(TRANSFER_EVENT), new Word(), to);
}

function transfer(from: Address, to: Address, amount: U256): void {
  if (from.isZero) revertError(INVALID_SENDER, from);
  if (to.isZero) revertError(INVALID_RECEIVER, to);
  const source = balanceOf(from);
  const balance = source.u256;
  if (balance < amount) revertError(INSUFFICIENT_BALANCE, from, balance.toWord(), amount.toWord());
  source.u256 = balance - amount;
  const target = balanceOf(to);
  target.u256 = target.u256 + amount;
  emitWord(amount.toWord(), Word.at(TRANSFER_EVENT), from, to);
}

function setAllowance(owner: Address, spender: Address, amount: U256): void {
  if (owner.isZero) revertError(INVALID_APPROVER, owner);
  if (spender.isZero) revertError(INVALID_SPENDER, spender);
  allowanceOf(owner, spender).u256 = amount;
}

/** The greatest amount means "without end", and stays. */
function spendAllowance(owner: Address, spender: Address, amount: U256): void {
  const allowance = allowanceOf(owner, spender).u256;
  if (allowance.isMaximum) return;
  if (allowance < amount) revertError(INSUFFICIENT_ALLOWANCE, spender, allowance.toWord(), amount.toWord());
  setAllowance(owner, spender, allowance - amount);
}

export function deploy(): u32 {
  refuseValue();
  mint(caller(), Arguments.ofConstructor(1).u256(0));
  return EXIT_SUCCESS;
}

export function call(): u32 {
  refuseValue();
  const selector = selectorOfInput();
  if (selector == TRANSFER) {
    const input = Arguments.ofFunction(2);
    transfer(caller(), input.address(0), input.u256(1));
  } else if (selector == APPROVE) {
    const input = Arguments.ofFunction(2);
    const owner = caller();
    const spender = input.address(0);
    const amount = input.u256(1);
    setAllowance(owner, spender, amount);
    emitWord(amount.toWord(), Word.at(APPROVAL_EVENT), owner, spender);
  } else if (selector == TRANSFER_FROM) {
    const input = Arguments.ofFunction(3);
    const from = input.address(0);
    const to = input.address(1);
    const amount = input.u256(2);
    spendAllowance(from, caller(), amount);
    transfer(from, to, amount);
  } else {
    view(selector);
  }
  returnBool(true);
  return EXIT_SUCCESS;
}

function view(selector: u32): void {
  if (selector == BALANCE_OF) {
    returnWord(balanceOf(Arguments.ofFunction(1).address(0)).word);
  } else if (selector == ALLOWANCE) {
    const input = Arguments.ofFunction(2);
    returnWord(allowanceOf(input.address(0), input.address(1)).word);
  } else if (selector == TOTAL_SUPPLY) {
    returnWord(supply().word);
  } else if (selector == DECIMALS) {
    returnWord(Word.of(18));
  } else if (selector == NAME) {
    returnString("Ostrom Token");
  } else if (selector == SYMBOL) {
    returnString("OST");
  }
  revertEmpty();
}
