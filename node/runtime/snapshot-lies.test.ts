import assert from "node:assert/strict";
import { test } from "node:test";
import { unwrap } from "@ostrom/base";
import { decodeStoredReceipts, encodeStoredReceipts, type Receipt } from "@ostrom/execution";
import { createMemoryStore } from "@ostrom/storage";
import type { PinnedBody } from "./snapshot-body.ts";
import type { SnapshotAnswer } from "./snapshot-messages.ts";
import { chainOf, dump, EPOCH, flipped, join, serverOf } from "./testing/snapshot-joining.ts";

/** Of a stored set: names, hosts and ports are not what certificates name it by. */
const IN_AN_ADDRESS = 30;

/** Changes what an honest server answers; undefined: not this time. */
type Lie = (answer: SnapshotAnswer) => SnapshotAnswer | undefined;

const LIES: Readonly<Record<string, Lie>> = {
  "an account less": (answer) =>
    answer.kind === "accounts" && answer.range.accounts.length > 0
      ? { ...answer, range: { ...answer.range, accounts: answer.range.accounts.slice(1) } }
      : undefined,
  "an account changed": (answer) => {
    if (answer.kind !== "accounts") return undefined;
    const accounts = answer.range.accounts.map((one) => ({ ...one, value: flipped(one.value) }));
    return { ...answer, range: { ...answer.range, accounts } };
  },
  "a slot changed": (answer) => {
    if (answer.kind !== "slots" || answer.ranges.every(({ slots }) => slots.length === 0)) return undefined;
    const ranges = answer.ranges.map((range) => ({
      ...range,
      slots: range.slots.map(({ slot, value }) => ({ slot, value: value + 1n })),
    }));
    return { ...answer, ranges };
  },
  "a slot less": (answer) => {
    if (answer.kind !== "slots" || answer.ranges.every(({ slots }) => slots.length === 0)) return undefined;
    const ranges = answer.ranges.map((range) => ({ ...range, slots: range.slots.slice(1) }));
    return { ...answer, ranges };
  },
  "other code": (answer) =>
    answer.kind === "codes" ? { ...answer, codes: answer.codes.map(() => Uint8Array.of(1)) } : undefined,
  "a forged header": (answer) =>
    answer.kind === "block"
      ? { ...answer, block: { ...answer.block, headers: answer.block.headers.map(flipped) } }
      : undefined,
  "headers left out": (answer) =>
    answer.kind === "block"
      ? { ...answer, block: { ...answer.block, headers: answer.block.headers.slice(1) } }
      : undefined,
  "a forged certificate": (answer) =>
    answer.kind === "block"
      ? { ...answer, block: { ...answer.block, certificate: flipped(answer.block.certificate) } }
      : undefined,
  "another ordered block": (answer) =>
    answer.kind === "block"
      ? {
          ...answer,
          block: {
            ...answer.block,
            ordered: answer.block.ordered.map((one) => ({ ...one, block: flipped(one.block) })),
          },
        }
      : undefined,
  "a forged finalization": (answer) =>
    answer.kind === "block"
      ? {
          ...answer,
          block: {
            ...answer.block,
            ordered: answer.block.ordered.map((one) => ({ ...one, finalization: flipped(one.finalization) })),
          },
        }
      : undefined,
  "no proof that the epoch is over": (answer) =>
    answer.kind === "block"
      ? { ...answer, block: { ...answer.block, sealProof: new Uint8Array(0) } }
      : undefined,
  "another set of validators": (answer) =>
    answer.kind === "sets"
      ? { ...answer, steps: answer.steps.map((step) => ({ ...step, set: flipped(step.set, IN_AN_ADDRESS) })) }
      : undefined,
  "a step from set to set that nobody signed": (answer) =>
    answer.kind === "sets"
      ? {
          ...answer,
          steps: answer.steps.map((step) => ({ ...step, certificate: flipped(step.certificate) })),
        }
      : undefined,
  "a transaction of the block left out": (answer) =>
    withBody(answer, ({ transactions, receipts }) => ({ transactions: transactions.slice(1), receipts })),
  "a transaction of the block changed": (answer) =>
    withBody(answer, ({ transactions, receipts }) => ({
      transactions: transactions.map((raw) => flipped(raw)),
      receipts,
    })),
  "a receipt that was never": (answer) =>
    withReceipts(answer, (receipt) => ({ ...receipt, succeeded: !receipt.succeeded })),
  "what no root covers in a receipt: gas": (answer) =>
    withReceipts(answer, (receipt) => ({ ...receipt, gasUsed: receipt.gasUsed + 1n })),
  "what no root covers in a receipt: the price": (answer) =>
    withReceipts(answer, (receipt) => ({ ...receipt, effectiveGasPrice: 1n })),
  "what no root covers in a receipt: the new contract": (answer) =>
    withReceipts(answer, (receipt) => ({ ...receipt, contractAddress: undefined })),
  "an answer to another question": (answer) =>
    answer.kind === "accounts" ? { kind: "codes", codes: [] } : undefined,
};

function withBody(
  answer: SnapshotAnswer,
  change: (body: PinnedBody) => PinnedBody,
): SnapshotAnswer | undefined {
  if (answer.kind !== "block") return undefined;
  assert.ok(answer.block.body !== undefined, "a short body comes along");
  return { ...answer, block: { ...answer.block, body: change(answer.block.body) } };
}

function withReceipts(
  answer: SnapshotAnswer,
  change: (receipt: Receipt) => Receipt,
): SnapshotAnswer | undefined {
  return withBody(answer, ({ transactions, receipts }) => ({
    transactions,
    receipts: encodeStoredReceipts(unwrap(decodeStoredReceipts(receipts)).map(change)),
  }));
}

test("who lies is found out and dropped, and the state comes from others", async (t) => {
  const chain = await chainOf(2 * EPOCH);
  const server = await serverOf(chain);
  const expected = await dump(chain.store);
  for (const [name, lie] of Object.entries(LIES)) {
    await t.test(name, async () => {
      const store = createMemoryStore();
      let isHonestSilent = true;
      const { outcome, punished } = join(chain, store, {
        liar: (question) => {
          const answer = server.answer(question);
          const lied = lie(answer);
          if (lied !== undefined) isHonestSilent = false;
          return lied ?? answer;
        },
        // Heard of only when the other has lied, so that it is asked first.
        honest: (question) =>
          isHonestSilent && question.kind === "get-pins"
            ? { kind: "pins", pins: [] }
            : server.answer(question),
      });
      assert.equal((await outcome).kind, "joined");
      assert.deepEqual(punished, ["liar"]);
      assert.deepEqual(await dump(store), expected);
    });
  }
  await server.stop();
});
