import { Address, type Bytes, EMPTY_BYTES, type Failure, Hash, type Result } from "@ostrom/base";
import {
  decodeRlpWith,
  type RlpErrorCode,
  type RlpItem,
  readRlpBytes,
  readRlpList,
  readRlpUint,
  rlpListLength,
  rlpUintLength,
  writeRlpListHeader,
  writeRlpString,
  writeRlpUint,
} from "@ostrom/codec";
import { accountPayloadLength, readAccount, writeAccountItem } from "./account.ts";
import type { AccountUndo, StateUndo } from "./commit.ts";
import type { SlotChange } from "./types.ts";

/** Encodes a reverse difference: RLP [stateRoot, [[address, account or "", [[slot, value], ...]], ...]]. */
export function encodeUndo(undo: StateUndo): Bytes {
  let accounts = 0;
  for (const account of undo.accounts) accounts += rlpListLength(accountPayload(account));
  const payload = HASH_ITEM_LENGTH + rlpListLength(accounts);
  const out = new Uint8Array(rlpListLength(payload));
  let at = writeRlpListHeader(out, 0, payload);
  at = writeRlpString(out, at, undo.stateRoot);
  at = writeRlpListHeader(out, at, accounts);
  for (const account of undo.accounts) at = writeAccountUndo(out, at, account);
  return out;
}

const HASH_ITEM_LENGTH = 33;
const ADDRESS_ITEM_LENGTH = 21;

function accountPayload({ account, slots }: AccountUndo): number {
  const accountLength = account === undefined ? 1 : rlpListLength(accountPayloadLength(account));
  return ADDRESS_ITEM_LENGTH + accountLength + rlpListLength(slotsPayload(slots));
}

function slotsPayload(slots: readonly SlotChange[]): number {
  let payload = 0;
  for (const change of slots) payload += rlpListLength(slotPayload(change));
  return payload;
}

function slotPayload({ slot, value }: SlotChange): number {
  return rlpUintLength(slot) + rlpUintLength(value);
}

function writeAccountUndo(out: Bytes, start: number, undo: AccountUndo): number {
  const { address, account, slots } = undo;
  let at = writeRlpListHeader(out, start, accountPayload(undo));
  at = writeRlpString(out, at, address);
  at = account === undefined ? writeRlpString(out, at, EMPTY_BYTES) : writeAccountItem(out, at, account);
  at = writeRlpListHeader(out, at, slotsPayload(slots));
  for (const change of slots) {
    at = writeRlpListHeader(out, at, slotPayload(change));
    at = writeRlpUint(out, at, change.slot);
    at = writeRlpUint(out, at, change.value);
  }
  return at;
}

/** Decodes what `encodeUndo` wrote; copies. Errors: those of `decodeRlp`, and `rlp/wrong-shape`. */
export function decodeUndo(bytes: Bytes): Result<StateUndo, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes.slice(), (item) => {
    const [stateRoot, accounts] = readRlpList(item, "undo", 2);
    return {
      stateRoot: Hash(readRlpBytes(stateRoot, "undo state root", 32)),
      accounts: readRlpList(accounts, "undo accounts").map(readAccountUndo),
    };
  });
}

function readAccountUndo(item: RlpItem): AccountUndo {
  const [address, account, slots] = readRlpList(item, "undo account", 3);
  return {
    address: Address(readRlpBytes(address, "undo address", 20)),
    account: account instanceof Uint8Array && account.length === 0 ? undefined : readAccount(account),
    slots: readRlpList(slots, "undo slots").map((entry) => {
      const [slot, value] = readRlpList(entry, "undo slot", 2);
      return { slot: readRlpUint(slot, "undo slot"), value: readRlpUint(value, "undo value") };
    }),
  };
}
