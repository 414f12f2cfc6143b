import { Address, type Bytes, EMPTY_BYTES, type Failure, Hash, type Result } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  type RlpErrorCode,
  type RlpItem,
  readRlpBytes,
  readRlpList,
  readRlpUint,
  rlpUint,
} from "@ostrom/codec";
import { readAccount, writeAccount } from "./account.ts";
import type { AccountUndo, StateUndo } from "./commit.ts";

/** Encodes a reverse difference: RLP [stateRoot, [[address, account or "", [[slot, value], ...]], ...]]. */
export function encodeUndo(undo: StateUndo): Bytes {
  const accounts = undo.accounts.map(({ address, account, slots }) => [
    address,
    account === undefined ? EMPTY_BYTES : writeAccount(account),
    slots.map(({ slot, value }) => [rlpUint(slot), rlpUint(value)]),
  ]);
  return encodeRlp([undo.stateRoot, accounts]);
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
