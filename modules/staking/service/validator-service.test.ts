import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, fromHex, hex, toHex, unwrap, utf8 } from "@ostrom/base";
import { ecvrf, keccak256, sha256 } from "@ostrom/crypto";
import { decodeTransaction, recoverSender } from "@ostrom/execution";
import { STAKING_ADDRESS } from "@ostrom/staking-chain";
import { decodeFunctionData } from "viem";
import { STAKING_CONTRACT_ABI } from "./act-calls.ts";
import { accountOf } from "./act-sender.ts";
import { NodeRefusal } from "./node-question.ts";
import { ValidatorService } from "./validator-service.ts";

const OPERATOR = sha256(utf8("operator"));
const VRF = sha256(utf8("vrf"));
const INPUT = keccak256(utf8("input"));
const CHAIN_ID = 4242n;

/** A node whose answers a test sets. */
class ToldNode {
  readonly sent: { readonly raw: Bytes; readonly hash: string }[] = [];
  readonly lines: string[] = [];
  fate = "included";
  height = 10;
  isSyncing = false;
  mayReveal = true;
  refusal: string | undefined;
  secrets: Record<string, Bytes | undefined> = { operator: OPERATOR, vrf: VRF };
  readonly service = new ValidatorService({
    chainId: CHAIN_ID,
    readSecret: (name) => this.secrets[name],
    log: (level, message, fields) => void this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`),
    ask: async (method, params) => this.#answer(method, params),
  });

  #answer(method: string, params: readonly unknown[]): unknown {
    switch (method) {
      case "staking_getDuties":
        assert.deepEqual(params, [
          toHex(accountOf(OPERATOR)),
          this.secrets.vrf ? toHex(ecvrf().publicKey(VRF)) : null,
        ]);
        return {
          isActive: true,
          height: toHex(Uint8Array.of(this.height)),
          epoch: "0x3",
          round: "0x4",
          input: toHex(INPUT),
          own: { staker: "0x7", mayReveal: this.mayReveal },
          reportable: [],
        };
      case "eth_syncing":
        return this.isSyncing ? { currentBlock: "0x1", highestBlock: "0x99" } : false;
      case "eth_estimateGas":
        if (this.refusal !== undefined) throw new NodeRefusal(this.refusal);
        return "0x186a0";
      case "eth_gasPrice":
        return "0x64";
      case "eth_maxPriorityFeePerGas":
        return "0x5";
      case "eth_getTransactionCount":
        return "0x9";
      case "ostrom_getTransactionStatus":
        return { status: this.fate };
      case "eth_sendRawTransaction": {
        const raw = unwrap(fromHex(String(params[0])));
        this.sent.push({ raw, hash: toHex(keccak256(raw)) });
        return toHex(keccak256(raw));
      }
      default:
        throw new Error(method);
    }
  }
}

test("a validator that may reveal sends a proof of its key, from the operator's account, with a margin of gas and fee", async () => {
  const node = new ToldNode();
  assert.equal(await node.service.look(), true);
  assert.equal(node.sent.length, 1);
  const transaction = unwrap(decodeTransaction(node.sent[0]!.raw));
  assert.deepEqual(unwrap(recoverSender(transaction)), accountOf(OPERATOR));
  assert.deepEqual([transaction.to, transaction.nonce, transaction.chainId], [STAKING_ADDRESS, 9n, CHAIN_ID]);
  assert.deepEqual(
    [transaction.gasLimit, transaction.maxFeePerGas, transaction.maxPriorityFeePerGas],
    [130_000n, 200n, 5n],
  );
  const { functionName, args } = decodeFunctionData({
    abi: STAKING_CONTRACT_ABI,
    data: toHex(transaction.data),
  });
  assert.deepEqual([functionName, args?.[0]], ["reveal", 7n]);
  const proof = hex(String(args?.[1]));
  assert.ok(ecvrf().verify(ecvrf().publicKey(VRF), proof, INPUT) !== undefined);
});

test("nothing is sent while a transaction waits; one that waits too long is replaced at a higher fee and the same nonce", async () => {
  const node = new ToldNode();
  node.fate = "pending";
  for (let look = 0; look < 60; look++) {
    node.height = Math.min(250, 10 + look);
    await node.service.look();
  }
  assert.equal(node.sent.length, 1);
  await node.service.look();
  assert.equal(node.sent.length, 2);
  const [first, second] = node.sent.map(({ raw }) => unwrap(decodeTransaction(raw)));
  assert.equal(second!.nonce, first!.nonce);
  assert.ok(second!.maxFeePerGas * 10n >= first!.maxFeePerGas * 11n);
  assert.ok(second!.maxPriorityFeePerGas * 10n >= first!.maxPriorityFeePerGas * 11n);
});

test("what the node refuses is told, and tried again only some blocks later", async () => {
  const node = new ToldNode();
  node.refusal = "execution reverted: AlreadyRevealed";
  await node.service.look();
  await node.service.look();
  assert.equal(node.sent.length, 0);
  assert.equal(node.lines.filter((line) => line.includes("AlreadyRevealed")).length, 1);
  node.refusal = undefined;
  node.height += 8;
  await node.service.look();
  assert.equal(node.sent.length, 1);
  assert.ok(
    node.lines.every(
      (line) => !line.includes(toHex(VRF).slice(2)) && !line.includes(toHex(OPERATOR).slice(2)),
    ),
  );
});

test("a node that catches up sends nothing", async () => {
  const node = new ToldNode();
  node.isSyncing = true;
  assert.equal(await node.service.look(), true);
  assert.equal(node.sent.length, 0);
  node.isSyncing = false;
  await node.service.look();
  assert.equal(node.sent.length, 1);
});

test("without an operator's key nothing is asked; without the key of the random function nothing is revealed", async () => {
  const node = new ToldNode();
  node.secrets = {};
  assert.equal(await node.service.look(), false);
  assert.equal(await node.service.look(), false);
  assert.equal(node.lines.filter((line) => line.includes("keys are missing")).length, 1);
  node.secrets = { operator: OPERATOR };
  assert.equal(await node.service.look(), true);
  assert.equal(node.sent.length, 0);
});
