import assert from "node:assert/strict";
import { test } from "node:test";
import { createFeeMarket1559Tx, createTxFromRLP, createLegacyTx, createEOACode7702Tx, createAccessList2930Tx } from "@ethereumjs/tx";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { privateKeyToAccount } from "viem/accounts";
import { parseTransaction, recoverTransactionAddress } from "viem";
import { Address, addressFromHex, bytesToBigint, createRandom, type Random, hex, hashFromHex, toHex, unwrap, Hash } from "@ostrom/base";
import { decodeRlp, encodeRlp, rlpUint } from "@ostrom/codec";
import { addressOfSecretKey, recoverAuthority, signAuthorization } from "./signature.ts";
import {
  decodeSignedTransaction,
  decodeTransaction,
  encodeTransaction,
  recoverSender,
  signTransaction,
  type TransactionFields,
} from "./transaction.ts";
