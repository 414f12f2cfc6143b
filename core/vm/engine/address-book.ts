import { type Address, assert, equalBytes } from "@ostrom/base";
import type { Machine } from "../frame.ts";
import { WORD_BYTES } from "../runtime/memory-layout.ts";
import type { Arena } from "./arena.ts";

/** An address that a message has met, and what the engine keeps of it. */
export type KnownAddress = {
  /** The state's own copy, which it finds fastest. */
  readonly address: Address;
  /** Its five parts of 32 bits, the lowest first, as a word in linear memory has them. */
  readonly parts: Parts;
  /** Another number for each account (FRAME.storageId). */
  readonly storageId: number;
  readonly isPrecompile: boolean;
};

type Parts = readonly [number, number, number, number, number];

/** A power of two. */
const RECENT = 256;
const PART_BYTES = 4;
const ADDRESS_BYTES = 20;
/** Odd. */
const MULTIPLIER = 0x9e37_79b1;

/** The addresses of one message, found by what lies in linear memory: so that code that calls again and again does not have
 * its operands made into bigints, those into bytes, and these into keys of maps. Addresses that somebody has chosen to meet in
 * one place of the table of recent ones cost a search by bytes. */
export class AddressBook {
  readonly #recent = new Array<KnownAddress | undefined>(RECENT).fill(undefined);
  readonly #known = new Map<Address, KnownAddress>();
  readonly #byStorageId: KnownAddress[] = [];
  #machine: Machine | undefined;

  begin(machine: Machine): void {
    this.end();
    this.#machine = machine;
  }

  /** Forgets the message's. */
  end(): void {
    this.#machine = undefined;
    this.#recent.fill(undefined);
    this.#known.clear();
    this.#byStorageId.length = 0;
  }

  /** The low 160 bits of a word in memory. */
  read(arena: Arena, at: number): KnownAddress {
    const a = arena.number(at);
    const b = arena.number(at + PART_BYTES);
    const c = arena.number(at + 2 * PART_BYTES);
    const d = arena.number(at + 3 * PART_BYTES);
    const e = arena.number(at + 4 * PART_BYTES);
    const place = Math.imul(a ^ (b << 1) ^ (c << 2) ^ (d << 3) ^ (e << 4), MULTIPLIER) >>> 24;
    const recent = this.#recent[place];
    if (recent !== undefined) {
      const { parts } = recent;
      if (parts[0] === a && parts[1] === b && parts[2] === c && parts[3] === d && parts[4] === e)
        return recent;
    }
    const known = this.of(addressOfParts([a, b, c, d, e]));
    this.#recent[place] = known;
    return known;
  }

  of(address: Address): KnownAddress {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const { context, precompiles } = this.#begun();
    const own = context.state.address(address);
    return this.#known.get(own) ?? this.#meet(own, precompiles.addresses);
  }

  /** @returns undefined if there is none. */
  withStorageId(storageId: number): Address | undefined {
    return this.#byStorageId[storageId]?.address;
  }

  #meet(address: Address, precompiles: readonly Address[]): KnownAddress {
    const known: KnownAddress = {
      address,
      parts: partsOf(address),
      storageId: this.#byStorageId.length,
      isPrecompile: precompiles.some((precompile) => equalBytes(precompile, address)),
    };
    this.#known.set(address, known);
    this.#byStorageId.push(known);
    return known;
  }

  #begun(): Machine {
    assert(this.#machine !== undefined, "a message must run");
    return this.#machine;
  }
}

function addressOfParts(parts: Parts): Address {
  const bytes = new Uint8Array(ADDRESS_BYTES);
  for (let i = 0; i < ADDRESS_BYTES; i++)
    bytes[ADDRESS_BYTES - 1 - i] = parts[Math.floor(i / PART_BYTES)]! >>> (8 * (i % PART_BYTES));
  return bytes as Address;
}

function partsOf(address: Address): Parts {
  const part = (place: number): number => {
    const end = ADDRESS_BYTES - PART_BYTES * place;
    let value = 0;
    for (let i = end - PART_BYTES; i < end; i++) value = value * 256 + address[i]!;
    return value;
  };
  return [part(0), part(1), part(2), part(3), part(4)];
}

/** Puts an address in memory as a word. */
export function writeAddress(arena: Arena, at: number, { parts }: KnownAddress): void {
  for (let place = 0; place < WORD_BYTES / PART_BYTES; place++)
    arena.setNumber(at + PART_BYTES * place, place < parts.length ? parts[place]! : 0);
}
