/** Contracts in AssemblyScript for Ostrom: one module; build.sh has the commands.
 *
 * The ABI, the layout of storage, events and revert data are Solidity's, so that nobody who calls a contract can tell what it
 * was written in. Words are 32 bytes, big-endian, in memory and for the host; a U256 is four limbs, to calculate with.
 * Memory is never freed: it ends with the message (`--runtime stub`). What cannot be decoded reverts with no data, as in
 * Solidity. */

import { host } from "./host";

export { host };

/** What calls and creations return. */
export const CALL_SUCCESS: u32 = 0;
export const CALL_REVERT: u32 = 1;
export const CALL_FAULT: u32 = 2;

/** What the exported `deploy` and `call` return. */
export const EXIT_SUCCESS: u32 = 0;
export const EXIT_REVERT: u32 = 1;

const ALL_GAS: u64 = u64.MAX_VALUE;

// ---- Words, addresses, numbers ----

/** 32 bytes, big-endian, as they lie in memory: lanes of eight bytes, the most significant first. */
@unmanaged
export class Word {
  lane0: u64 = 0;
  lane1: u64 = 0;
  lane2: u64 = 0;
  lane3: u64 = 0;

  static of(value: u64): Word {
    const word = new Word();
    word.lane3 = bswap(value);
    return word;
  }

  /** A constant of the program: `Word.at(memory.data<u8>([0xdd, ...]))`. Not copied. */
  static at(pointer: usize): Word {
    return changetype<Word>(pointer);
  }

  get pointer(): usize {
    return changetype<usize>(this);
  }

  get isZero(): bool {
    return (this.lane0 | this.lane1 | this.lane2 | this.lane3) == 0;
  }
}

/** 20 bytes, kept as the ABI has them: after 12 zeros. */
@unmanaged
export class Address extends Word {
  /** To the 20 bytes, for the host. */
  get bytes(): usize {
    return changetype<usize>(this) + 12;
  }
}

/** The least significant limb first. */
@unmanaged
export class U256 {
  limb0: u64 = 0;
  limb1: u64 = 0;
  limb2: u64 = 0;
  limb3: u64 = 0;

  static of(value: u64): U256 {
    const result = new U256();
    result.limb0 = value;
    return result;
  }

  static fromWord(word: Word): U256 {
    const result = new U256();
    reverse(word.pointer, changetype<usize>(result));
    return result;
  }

  toWord(): Word {
    const result = new Word();
    reverse(changetype<usize>(this), result.pointer);
    return result;
  }

  get isZero(): bool {
    return (this.limb0 | this.limb1 | this.limb2 | this.limb3) == 0;
  }

  get isMaximum(): bool {
    return (this.limb0 & this.limb1 & this.limb2 & this.limb3) == u64.MAX_VALUE;
  }

  /** As Solidity adds: overflow is a panic (0x11). */
  @operator("+")
  add(other: U256): U256 {
    const sum = new U256();
    let carry: u64 = 0;
    for (let offset: usize = 0; offset < 32; offset += 8) {
      const a = load<u64>(changetype<usize>(this) + offset);
      const partial = a + load<u64>(changetype<usize>(other) + offset);
      const limb = partial + carry;
      carry = u64(partial < a) | u64(limb < partial);
      store<u64>(changetype<usize>(sum) + offset, limb);
    }
    if (carry) panic(0x11);
    return sum;
  }

  /** As Solidity subtracts: less than zero is a panic (0x11). */
  @operator("-")
  sub(other: U256): U256 {
    const difference = new U256();
    let borrow: u64 = 0;
    for (let offset: usize = 0; offset < 32; offset += 8) {
      const a = load<u64>(changetype<usize>(this) + offset);
      const b = load<u64>(changetype<usize>(other) + offset);
      store<u64>(changetype<usize>(difference) + offset, a - b - borrow);
      borrow = u64(a < b) | (u64(a == b) & borrow);
    }
    if (borrow) panic(0x11);
    return difference;
  }

  @operator("<")
  less(other: U256): bool {
    if (this.limb3 != other.limb3) return this.limb3 < other.limb3;
    if (this.limb2 != other.limb2) return this.limb2 < other.limb2;
    if (this.limb1 != other.limb1) return this.limb1 < other.limb1;
    return this.limb0 < other.limb0;
  }

  /** Modulo 2^256, by the host; division by zero is 0. */
  @operator("*")
  mul(other: U256): U256 {
    const product = new Word();
    host.u256Mul(this.toWord().pointer, other.toWord().pointer, product.pointer);
    return U256.fromWord(product);
  }

  @operator("/")
  div(other: U256): U256 {
    const quotient = new Word();
    host.u256Div(this.toWord().pointer, other.toWord().pointer, quotient.pointer);
    return U256.fromWord(quotient);
  }
}

/** Between a word and its limbs: the 32 bytes in the other order. */
function reverse(from: usize, to: usize): void {
  store<u64>(to, bswap(load<u64>(from, 24)));
  store<u64>(to, bswap(load<u64>(from, 16)), 8);
  store<u64>(to, bswap(load<u64>(from, 8)), 16);
  store<u64>(to, bswap(load<u64>(from)), 24);
}

/** Cheaper than memory.copy, which has a price of its own. */
function copyWord(to: usize, from: usize): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
  store<u64>(to, load<u64>(from, 16), 16);
  store<u64>(to, load<u64>(from, 24), 24);
}

// ---- Ending ----

export function returnData(data: usize, size: u32): void {
  host.output(data, size);
  host.exit(EXIT_SUCCESS);
}

export function revertData(data: usize, size: u32): void {
  host.output(data, size);
  host.exit(EXIT_REVERT);
}

export function revertEmpty(): void {
  revertData(0, 0);
}

export function returnWord(word: Word): void {
  returnData(word.pointer, 32);
}

export function returnBool(value: bool): void {
  returnWord(Word.of(u64(value)));
}

/** For `bytes`. */
export function returnBytes(data: usize, size: u32): void {
  const encoded = heap.alloc(encodedSize(size));
  putBytes(encoded, data, size);
  returnData(encoded, encodedSize(size));
}

export function returnString(text: string): void {
  const bytes = String.UTF8.encode(text);
  returnBytes(changetype<usize>(bytes), bytes.byteLength);
}

/** A custom error with arguments of static types. `selectors.ts` prints selectors. */
export function revertError(selector: u32, first: Word, second: Word | null = null, third: Word | null = null): void {
  const data = heap.alloc(4 + 3 * 32);
  store<u32>(data, bswap(selector));
  copyWord(data + 4, first.pointer);
  let size: u32 = 36;
  if (second != null) {
    copyWord(data + size, second.pointer);
    size += 32;
  }
  if (third != null) {
    copyWord(data + size, third.pointer);
    size += 32;
  }
  revertData(data, size);
}

/** Error(string), as `require(condition, text)` reverts. */
export function revertString(text: string): void {
  const bytes = String.UTF8.encode(text);
  const data = heap.alloc(4 + encodedSize(bytes.byteLength));
  store<u32>(data, bswap<u32>(0x08c379a0));
  putBytes(data + 4, changetype<usize>(bytes), bytes.byteLength);
  revertData(data, 4 + encodedSize(bytes.byteLength));
}

/** Panic(uint256), as Solidity's checks end: 0x01 assert, 0x11 overflow, 0x12 division by zero, 0x32 index. */
export function panic(code: u64): void {
  revertError(0x4e487b71, Word.of(code));
}

/** What aborts in AssemblyScript is what `assert` is in Solidity (`--use abort=ostrom/onAbort`). */
export function onAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  panic(0x01);
}

function encodedSize(size: u32): u32 {
  return 64 + ((size + 31) & ~31);
}

/** Writes the encoding of one `bytes` or `string` that stands alone. */
function putBytes(to: usize, data: usize, size: u32): void {
  copyWord(to, Word.of(32).pointer);
  copyWord(to + 32, Word.of(size).pointer);
  memory.copy(to + 64, data, size);
  memory.fill(to + 64 + size, 0, encodedSize(size) - 64 - size);
}

// ---- Arguments ----

/** The function that is called. Reverts if the input has no selector. */
export function selectorOfInput(): u32 {
  if (host.inputSize() < 4) revertEmpty();
  const word = new Word();
  host.inputCopy(word.pointer, 0, 4);
  return bswap(load<u32>(word.pointer));
}

/** Arguments in the message's input: after the selector of a function, or from the start for a constructor. */
export class Arguments {
  private constructor(
    private readonly start: u32,
    private readonly size: u32,
  ) {}

  /** @param count words in the head: one for each argument, of dynamic types too. */
  static ofFunction(count: u32): Arguments {
    return Arguments.read(4, count);
  }

  static ofConstructor(count: u32): Arguments {
    return Arguments.read(0, count);
  }

  private static read(start: u32, count: u32): Arguments {
    const size = host.inputSize();
    if (size < start + 32 * count) revertEmpty();
    return new Arguments(start, size - start);
  }

  word(index: u32): Word {
    const word = new Word();
    host.inputCopy(word.pointer, this.start + 32 * index, 32);
    return word;
  }

  u256(index: u32): U256 {
    return U256.fromWord(this.word(index));
  }

  /** Reverts if the value is 2^64 or more, as Solidity does for uint64. */
  u64(index: u32): u64 {
    const word = this.word(index);
    if ((word.lane0 | word.lane1 | word.lane2) != 0) revertEmpty();
    return bswap(word.lane3);
  }

  bool(index: u32): bool {
    const value = this.u64(index);
    if (value > 1) revertEmpty();
    return value == 1;
  }

  address(index: u32): Address {
    const address = changetype<Address>(this.word(index));
    if ((address.lane0 | u64(load<u32>(address.pointer, 8))) != 0) revertEmpty();
    return address;
  }

  /** An argument of type `bytes` or `string`. */
  bytes(index: u32): StaticArray<u8> {
    const offset = this.u64(index);
    if (offset > this.size || this.size - offset < 32) revertEmpty();
    const tail = new Arguments(this.start + u32(offset), this.size - u32(offset));
    const size = tail.u64(0);
    if (size > tail.size - 32) revertEmpty();
    const data = new StaticArray<u8>(u32(size));
    host.inputCopy(changetype<usize>(data), tail.start + 32, u32(size));
    return data;
  }
}

// ---- The message ----

export function ownAddress(): Address {
  const address = new Address();
  host.address(address.bytes);
  return address;
}

export function caller(): Address {
  const address = new Address();
  host.caller(address.bytes);
  return address;
}

export function callValue(): Word {
  const value = new Word();
  host.value(value.pointer);
  return value;
}

/** What Solidity does in every function that is not payable. */
export function refuseValue(): void {
  if (!callValue().isZero) revertEmpty();
}

// ---- Storage, laid out as Solidity's ----

/** One word of storage. */
export class Slot {
  constructor(readonly key: Word) {}

  /** The state variable that is the `index`-th, if each takes a slot. */
  static at(index: u64): Slot {
    return new Slot(Word.of(index));
  }

  get word(): Word {
    const value = new Word();
    host.storageLoad(this.key.pointer, value.pointer);
    return value;
  }

  set word(value: Word) {
    host.storageStore(this.key.pointer, value.pointer);
  }

  get u256(): U256 {
    return U256.fromWord(this.word);
  }

  set u256(value: U256) {
    this.word = value.toWord();
  }

  /** For a mapping that stands at this slot: where the value for a key is. Twice, for a mapping in a mapping. */
  of(key: Word): Slot {
    const pair = heap.alloc(64);
    copyWord(pair, key.pointer);
    copyWord(pair + 32, this.key.pointer);
    const slot = new Word();
    host.keccak256(pair, 64, slot.pointer);
    return new Slot(slot);
  }
}

// ---- Events ----

/** An event with static data of one word, and with two indexed arguments. For others use `host.log`. */
export function emitWord(data: Word, signature: Word, first: Word, second: Word): void {
  const topics = heap.alloc(96);
  copyWord(topics, signature.pointer);
  copyWord(topics + 32, first.pointer);
  copyWord(topics + 64, second.pointer);
  host.log(data.pointer, 32, topics, 3);
}

// ---- Other contracts ----

/** With all the gas that may be passed on. */
export function call(target: Address, value: Word, data: StaticArray<u8>): u32 {
  return host.call(ALL_GAS, target.bytes, value.pointer, changetype<usize>(data), data.length);
}

export function staticCall(target: Address, data: StaticArray<u8>): u32 {
  return host.staticCall(ALL_GAS, target.bytes, changetype<usize>(data), data.length);
}

/** What the last call returned. */
export function returnedData(): StaticArray<u8> {
  const size = host.returnDataSize();
  const data = new StaticArray<u8>(size);
  host.returnDataCopy(changetype<usize>(data), 0, size);
  return data;
}
