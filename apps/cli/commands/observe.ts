import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { equalBytes, fromHex, type Hash, toHex } from "@ostrom/base";
import { decodeHeader, hashHeader } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import {
  createLightClient,
  type FilteredBlock,
  type LightClient,
  type VerifiedHeader,
  verifyFilteredBlocks,
} from "@ostrom/sdk";
import { type Command, UsageError, type Values } from "../command.ts";
import { ACCESS_FLAGS, ACCOUNT_KEY_FLAGS, type NodeAccess, remoteAccess } from "../node-access.ts";
import { ask, DEFAULT_RPC_URL } from "../rpc-client.ts";

/** The node's own limits of one answer. */
const HEADERS_AT_ONCE = 512;
const BLOCKS_AT_ONCE = 128;
const LOOK_MS = 1_000;

export const observe: Command = {
  name: "observe",
  summary: "follow what concerns your addresses, every part of it verified",
  usage: "--rpc URL --genesis FILE --account-key FILE [flags]",
  flags: [
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "the node to ask; it is not believed",
      default: DEFAULT_RPC_URL,
    },
    ...ACCOUNT_KEY_FLAGS,
    ...ACCESS_FLAGS,
    { name: "from", kind: "number", help: "first block (default: after the stored ones, else 0)" },
    { name: "to", kind: "number", help: "last block; it then ends (default: goes on for good)" },
    {
      name: "store",
      kind: "text",
      placeholder: "FILE",
      help: "append the lines to this file, and go on after its last one",
    },
    { name: "only-matches", kind: "switch", help: "leave out blocks without a transaction for you" },
  ],
  examples: [
    "ostrom observe --rpc https://node1.example:8545 --genesis genesis.json --account-key auditor.key --store seen.jsonl",
    "ostrom observe --genesis genesis.json --account-key auditor.key --from 1000 --to 2000 --only-matches",
  ],
  run: async ({ values }) => {
    const genesis = values["genesis"];
    if (typeof genesis !== "string")
      throw new UsageError("name the chain's genesis.json, from which all is verified: --genesis FILE");
    installNativeCrypto();
    const access = await remoteAccess(String(values["rpc"]), values);
    const client = createLightClient({
      servers: [access.url],
      genesis: JSON.parse(readFileSync(resolve(genesis), "utf8")),
      fetch: (input, init) => fetch(input, { ...init, headers: headersOf(access) }),
    });
    await new Observer(access, client, values).run();
    return 0;
  },
};

function headersOf({ token }: NodeAccess): Readonly<Record<string, string>> {
  const shown = token();
  return {
    "content-type": "application/json",
    ...(shown === undefined ? {} : { authorization: `Bearer ${shown}` }),
  };
}

/** One block after another, none without its certificate. */
class Observer {
  readonly #access: NodeAccess;
  readonly #client: LightClient;
  readonly #store: string | undefined;
  readonly #onlyMatches: boolean;
  readonly #last: number;
  #next: number;
  #previous: Hash | undefined;

  constructor(access: NodeAccess, client: LightClient, values: Values) {
    this.#access = access;
    this.#client = client;
    this.#store = typeof values["store"] === "string" ? resolve(values["store"]) : undefined;
    this.#onlyMatches = values["onlyMatches"] === true;
    this.#last = (values["to"] as number | undefined) ?? Number.POSITIVE_INFINITY;
    const stored = this.#store === undefined ? undefined : lastStored(this.#store);
    this.#next = (values["from"] as number | undefined) ?? (stored === undefined ? 0 : stored.block + 1);
    this.#previous = stored !== undefined && stored.block + 1 === this.#next ? stored.hash : undefined;
  }

  async run(): Promise<void> {
    while (this.#next <= this.#last) {
      const head = await this.#client.sync();
      if (!head.ok) throw new UsageError(`${this.#access.url}: ${head.error.message} (${head.error.code})`);
      if (head.value.header.number >= this.#next) await this.#observeThrough(head.value);
      if (this.#next <= this.#last) await sleep(LOOK_MS);
    }
  }

  /** @param head of the certified block that all before it are checked against. */
  async #observeThrough(head: VerifiedHeader): Promise<void> {
    const height = head.header.number;
    const hashes = await this.#headers(this.#next, height, head);
    const first = this.#next;
    const end = Math.min(height, this.#last);
    while (this.#next <= end) {
      const to = Math.min(end, this.#next + BLOCKS_AT_ONCE - 1);
      const parameters = [`0x${this.#next.toString(16)}`, `0x${to.toString(16)}`];
      const answer = await ask<unknown>(
        this.#access.url,
        "ostrom_getFilteredBlocks",
        parameters,
        this.#access.token(),
      );
      const verified = verifyFilteredBlocks(
        this.#next,
        hashes.slice(this.#next - first, to - first + 1),
        answer,
        head.hashId,
      );
      if (!verified.ok) this.#refuse(`${verified.error.message} (${verified.error.code})`);
      else if (verified.value.blocks.length === 0)
        this.#refuse("the answer has none of the blocks asked for");
      else for (const block of verified.value.blocks) this.#show(block);
    }
  }

  /** Hashes of blocks, each the parent of the next, up to one that is certified. */
  async #headers(from: number, to: number, head: VerifiedHeader): Promise<readonly Hash[]> {
    const hashes: Hash[] = [];
    let previous = this.#previous;
    while (from + hashes.length <= to) {
      const start = from + hashes.length;
      const count = Math.min(HEADERS_AT_ONCE, to - start + 1);
      const parameters = [`0x${start.toString(16)}`, count];
      const told = await ask<readonly string[]>(
        this.#access.url,
        "ostrom_getHeaders",
        parameters,
        this.#access.token(),
      );
      if (told.length === 0 || told.length > count)
        this.#refuse(`${told.length} headers from block ${start} on`);
      for (const text of told) {
        const bytes = fromHex(text);
        const header = bytes.ok ? decodeHeader(bytes.value) : undefined;
        if (header === undefined || !header.ok) return this.#refuse("a header that cannot be read");
        if (previous !== undefined && !equalBytes(header.value.parentHash, previous))
          this.#refuse(`block ${header.value.number} does not follow the one before it`);
        previous = hashHeader(header.value, head.hashId);
        hashes.push(previous);
      }
    }
    const last = hashes.at(-1);
    if (last === undefined || !equalBytes(last, head.hash))
      this.#refuse(`the headers do not lead to block ${to}, which the validators certified`);
    return hashes;
  }

  #refuse(problem: string): never {
    throw new UsageError(`${this.#access.url} is not to be believed: ${problem}`);
  }

  #show({ block, transactions, unexplained }: FilteredBlock): void {
    const { header, hash } = block;
    this.#next = header.number + 1;
    this.#previous = hash;
    const line = JSON.stringify({
      block: header.number,
      hash: toHex(hash),
      time: new Date(header.timestamp * 1_000).toISOString(),
      transactions: transactions.map(({ index, transaction, receipt }) => ({
        index,
        hash: toHex(transaction.hash),
        from: toHex(transaction.sender),
        to: transaction.to === undefined ? null : toHex(transaction.to),
        value: transaction.value.toString(),
        input: toHex(transaction.data),
        succeeded: receipt.succeeded,
        logs: receipt.logs.map(({ address, topics, data }) => ({
          address: toHex(address),
          topics: topics.map(toHex),
          data: toHex(data),
        })),
      })),
      ...(unexplained.length === 0 ? {} : { unexplained: unexplained.map(toHex) }),
    });
    if (this.#store !== undefined) appendFileSync(this.#store, `${line}\n`, { mode: 0o600 });
    if (!this.#onlyMatches || transactions.length > 0 || unexplained.length > 0) console.log(line);
  }
}

/** The last whole line of a file of lines. */
function lastStored(path: string): { readonly block: number; readonly hash: Hash } | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  const line = text
    .slice(0, Math.max(0, text.lastIndexOf("\n")))
    .split("\n")
    .at(-1);
  if (line === undefined || line === "") return undefined;
  const { block, hash } = JSON.parse(line) as { readonly block: number; readonly hash: string };
  const bytes = fromHex(hash);
  if (!Number.isSafeInteger(block) || !bytes.ok) throw new UsageError(`${path}: its last line is no block`);
  return { block, hash: bytes.value as Hash };
}
