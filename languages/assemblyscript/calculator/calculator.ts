/** Shows numbers, strings and refusals. */
import {
  Arguments,
  EXIT_SUCCESS,
  panic,
  refuseValue,
  returnBool,
  returnBytes,
  returnWord,
  revertEmpty,
  revertString,
  selectorOfInput,
  Word,
} from "../ostrom";

const ADD: u32 = 0x771602f7;
const SUBTRACT: u32 = 0x3ef5e445;
const MULTIPLY: u32 = 0x165c4a16;
const DIVIDE: u32 = 0xf88e9fbf;
const LESS: u32 = 0x2d738965;
const INVERT: u32 = 0x35f85e91;
const HALF: u32 = 0x4cd1e1db;
const ECHO: u32 = 0xf15da729;

export function deploy(): u32 {
  refuseValue();
  return EXIT_SUCCESS;
}

export function call(): u32 {
  refuseValue();
  const selector = selectorOfInput();
  if (selector == INVERT) {
    returnBool(!Arguments.ofFunction(1).bool(0));
  } else if (selector == HALF) {
    const value = Arguments.ofFunction(1).u64(0);
    if (value % 2 != 0) revertString("an odd number has no half that is a whole number");
    returnWord(Word.of(value / 2));
  } else if (selector == ECHO) {
    const text = Arguments.ofFunction(1).bytes(0);
    returnBytes(changetype<usize>(text), text.length);
  } else {
    onTwoNumbers(selector);
  }
  return EXIT_SUCCESS;
}

function onTwoNumbers(selector: u32): void {
  const isKnown =
    selector == ADD || selector == SUBTRACT || selector == MULTIPLY || selector == DIVIDE || selector == LESS;
  if (!isKnown) revertEmpty();
  const input = Arguments.ofFunction(2);
  const a = input.u256(0);
  const b = input.u256(1);
  if (selector == ADD) {
    returnWord((a + b).toWord());
  } else if (selector == SUBTRACT) {
    returnWord((a - b).toWord());
  } else if (selector == MULTIPLY) {
    returnWord((a * b).toWord());
  } else if (selector == DIVIDE) {
    if (b.isZero) panic(0x12);
    returnWord((a / b).toWord());
  } else {
    returnBool(a < b);
  }
}
