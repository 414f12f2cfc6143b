import {
  type Address,
  addressFromHex,
  type Bytes,
  type Hash,
  toHex,
  toHexDigits,
  wordToBytes,
} from "@ostrom/base";
import { chainHash } from "@ostrom/execution";
import type { ProvedAccount } from "@ostrom/sdk";
import { accept, finish, type Subject } from "./ended.ts";
import type { ProofPath, ProofQuestion, ProvedField } from "./proof-model.ts";
import { retracePath } from "./trie-path.ts";

type StateQuestion = Extract<ProofQuestion, { readonly address: unknown }>;

/** Proves what an account or a slot holds in the newest certified state. @throws Ended */
export async function proveState(subject: Subject, question: StateQuestion): Promise<void> {
  const { client, head, add } = subject;
  const hash = chainHash(head);
  const address = addressFromHex(question.address);
  const slot = question.kind === "storage" ? BigInt(question.slot) : undefined;
  const slots = slot === undefined ? [] : [slot];
  const proved = accept("proof", await client.proof(address, slots, head.hash));
  const path = (of: ProofPath["of"], root: Hash, keyed: Bytes, nodes: readonly Bytes[]): ProofPath => {
    const key = toHexDigits(hash(keyed));
    return { of, root: toHex(root), key, nodes: retracePath(key, nodes, hash) };
  };
  const account = path("account", head.header.stateRoot, address, proved.accountProof);
  const slotPath =
    slot === undefined
      ? []
      : [path("slot", proved.storageRoot, wordToBytes(slot), proved.slotProofs[0] ?? [])];
  add({ step: "path", paths: [account, ...slotPath] });
  const isAbsent = slot === undefined ? proved.account === undefined : proved.slots[0] === 0n;
  finish(subject, await fieldsOf(subject, question, address, proved), isAbsent);
}

async function fieldsOf(
  { client, head, recorded }: Subject,
  question: StateQuestion,
  address: Address,
  { account, slots }: ProvedAccount,
): Promise<readonly ProvedField[]> {
  const at = `0x${head.header.number.toString(16)}`;
  const said = async (method: string, ...params: readonly string[]): Promise<bigint | undefined> => {
    const [answer] = await recorded.server.ask([{ method, params: [question.address, ...params, at] }]);
    return answer?.ok === true ? wordOf(answer.value) : undefined;
  };
  switch (question.kind) {
    case "balance": {
      const claim = await said("eth_getBalance");
      return [{ name: "balance", value: String(account?.balance ?? 0n), said: claim?.toString() }];
    }
    case "nonce": {
      const claim = await said("eth_getTransactionCount");
      return [{ name: "nonce", value: String(account?.nonce ?? 0n), said: claim?.toString() }];
    }
    case "code": {
      const code = accept("proof", await client.code(address, head.hash));
      const codeHash = account === undefined ? "0x" : toHex(account.codeHash);
      return [
        { name: "codeHash", value: codeHash },
        { name: "codeBytes", value: String(code.length) },
      ];
    }
    case "storage": {
      const claim = await said("eth_getStorageAt", question.slot);
      const shown = claim === undefined ? undefined : toHex(wordToBytes(claim));
      return [{ name: "slot", value: toHex(wordToBytes(slots[0] ?? 0n)), said: shown }];
    }
    default:
      return question satisfies never;
  }
}

/** A quantity or a word of JSON-RPC; undefined for anything else. */
function wordOf(value: unknown): bigint | undefined {
  return typeof value === "string" && /^0x[0-9a-f]{1,64}$/i.test(value) ? BigInt(value) : undefined;
}
