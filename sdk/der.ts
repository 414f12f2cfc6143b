import { assert, type Bytes, concatBytes, equalBytes } from "@ostrom/base";

// Distinguished encoding rules (X.690, clause 10): what key files are written in. One tag byte; lengths are minimal.

export const DER_INTEGER = 0x02;
const DER_BIT_STRING = 0x03;
export const DER_OCTET_STRING = 0x04;
const DER_NULL = 0x05;
const DER_OBJECT_ID = 0x06;
const DER_SEQUENCE = 0x30;

const LONG_LENGTH = 0x80;
const SIGN_BIT = 0x80;
/** A length of more bytes would be of more than 16 MB. */
const MAX_LENGTH_BYTES = 3;

/** The bytes are no DER, or other than a format has them. Read inside `Result` faces alone. */
export class DerError extends Error {
  override readonly name: string = "DerError";
}

export type DerElement = { readonly tag: number; readonly content: Bytes };

/** One element. */
export function derElement(tag: number, ...contents: readonly Bytes[]): Bytes {
  const content = concatBytes(...contents);
  return concatBytes(Uint8Array.of(tag), lengthBytes(content.length), content);
}

export function derSequence(...elements: readonly Bytes[]): Bytes {
  return derElement(DER_SEQUENCE, ...elements);
}

export function derOctets(content: Bytes): Bytes {
  return derElement(DER_OCTET_STRING, content);
}

/** A bit string of whole bytes. */
export function derBits(content: Bytes): Bytes {
  return derElement(DER_BIT_STRING, Uint8Array.of(0), content);
}

export function derNull(): Bytes {
  return derElement(DER_NULL);
}

/** @param magnitude of a number that is not negative, big-endian. */
export function derInteger(magnitude: Bytes): Bytes {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.length === 0 ? Uint8Array.of(0) : magnitude.subarray(start);
  const needsZero = digits[0]! >= SIGN_BIT;
  return derElement(DER_INTEGER, needsZero ? Uint8Array.of(0) : new Uint8Array(0), digits);
}

export function derCount(value: number): Bytes {
  assert(Number.isSafeInteger(value) && value >= 0, "a count is a whole number, 0 or more");
  const digits: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return derInteger(Uint8Array.from(digits));
}

/** @param text in dots, such as "1.2.840.10045.2.1". */
export function derObjectId(text: string): Bytes {
  const [first = 0, second = 0, ...others] = text.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...others]) {
    const digits = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
      digits.unshift((rest % 128) + 128);
    bytes.push(...digits);
  }
  return derElement(DER_OBJECT_ID, Uint8Array.from(bytes));
}

/** Reads elements one after another. Shares memory with the bytes. */
export class DerReader {
  readonly #bytes: Bytes;
  #offset = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Tag of what comes next; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** @throws DerError. */
  next(): DerElement {
    const tag = this.#byte();
    let length = this.#byte();
    if (length >= LONG_LENGTH) {
      const count = length - LONG_LENGTH;
      if (count === 0 || count > MAX_LENGTH_BYTES) throw new DerError("a length has too many bytes");
      length = 0;
      for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
      if (length < LONG_LENGTH || (count > 1 && length < 256 ** (count - 1)))
        throw new DerError("a length is longer than it needs to be");
    }
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new DerError("it ends in the middle");
    const content = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return { tag, content };
  }

  /** The content of the next element. @throws DerError if it has another tag. */
  expect(tag: number): Bytes {
    const element = this.next();
    if (element.tag !== tag) throw new DerError(`tag ${tag} was expected, and ${element.tag} found`);
    return element.content;
  }

  /** What is inside the next element, a sequence unless told. @throws DerError. */
  enter(tag: number = DER_SEQUENCE): DerReader {
    return new DerReader(this.expect(tag));
  }

  /** Magnitude of an integer that is not negative, without zeros before it. @throws DerError. */
  integer(): Bytes {
    const content = this.expect(DER_INTEGER);
    if (content.length === 0 || content[0]! >= SIGN_BIT) throw new DerError("a number is negative");
    if (content[0] === 0 && content.length > 1 && content[1]! < SIGN_BIT)
      throw new DerError("a number is longer than it needs to be");
    return content[0] === 0 ? content.subarray(1) : content;
  }

  /** @throws DerError. */
  count(): number {
    const value = this.integer().reduce((sum, byte) => sum * 256 + byte, 0);
    if (!Number.isSafeInteger(value)) throw new DerError("a number is too large");
    return value;
  }

  /** Bytes of a bit string without unused bits. @throws DerError. */
  bits(): Bytes {
    const content = this.expect(DER_BIT_STRING);
    if (content[0] !== 0) throw new DerError("a bit string is not of whole bytes");
    return content.subarray(1);
  }

  /** Whether the next element is this one, byte by byte; reads it if so. */
  skipIf(element: Bytes): boolean {
    const next = this.#bytes.subarray(this.#offset, this.#offset + element.length);
    if (!equalBytes(next, element)) return false;
    this.#offset += element.length;
    return true;
  }

  /** @throws DerError if anything is left. */
  end(): void {
    if (!this.isAtEnd) throw new DerError("something follows its end");
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new DerError("it ends in the middle");
    this.#offset++;
    return byte;
  }
}

function lengthBytes(length: number): Bytes {
  if (length < LONG_LENGTH) return Uint8Array.of(length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  assert(digits.length <= MAX_LENGTH_BYTES, "an element of DER is too long");
  return Uint8Array.of(LONG_LENGTH + digits.length, ...digits);
}
