import { type Address, hashFromWord, toHex } from "@ostrom/base";
import type { MembershipSettings } from "@ostrom/membership-chain";
import {
  type CommandInput,
  type Json,
  type ModuleCall,
  type ModuleReads,
  type ModuleTerminal,
  UsageError,
  type Values,
} from "@ostrom/runtime";
import { MembershipLedger } from "../../chain/testing/membership-ledger.ts";
import { membershipCommands } from "../commands.ts";
import { membershipMethods } from "../rpc-methods.ts";

type ToldLog = { readonly [name: string]: Json };

/** A node with the contract and nothing else: the methods and commands of this package on it, without processes. Each transaction is a
 * block. */
export class FakeNode {
  readonly ledger: MembershipLedger;
  readonly logs: ToldLog[] = [];

  constructor(settings: MembershipSettings | undefined) {
    this.ledger = new MembershipLedger(settings);
  }

  readonly reads: ModuleReads = {
    chainId: 1337n,
    genesisHash: hashFromWord(1n),
    heads: () => ({ latest: this.ledger.height, certified: 0, earliest: 0, earliestState: 0 }),
    header: () => undefined,
    withState: (_block, use) =>
      use(this.ledger.state as unknown as Parameters<typeof use>[0], this.ledger.height),
    call: async () => new Uint8Array(0),
    logs: async () => this.logs,
    validators: undefined,
  };

  /** What a client is answered. */
  async ask(method: string, params: readonly unknown[] = []): Promise<unknown> {
    if (method === "eth_blockNumber") return `0x${this.ledger.height.toString(16)}`;
    if (method === "eth_call") return "0x";
    const found = membershipMethods.find(({ name }) => name === method);
    if (found === undefined) throw new UsageError(`there is no method ${method}`);
    return JSON.parse(JSON.stringify(await found.call(this.reads, params)));
  }

  /** Runs `ostrom membership ...`. @returns what it prints. Throws what it throws, and an Error where the contract refuses. */
  async run(
    from: Address | undefined,
    line: readonly string[],
    flags: Values = {},
  ): Promise<readonly string[]> {
    const [name, ...positionals] = line;
    const command = membershipCommands.find((one) => one.name === name);
    if (command === undefined) throw new Error(`there is no command ${name}`);
    const defaults = Object.fromEntries(
      command.flags.map((flag) => [camelCase(flag.name), flag.default] as const),
    );
    const printed: string[] = [];
    const input: CommandInput = {
      values: { ...defaults, ...flags },
      positionals,
      given: new Set(Object.keys(flags)),
    };
    const code = await command.run(input, this.#terminal(from, printed, flags["json"] === true));
    if (code !== 0) throw new Error(`the command ended with ${code}`);
    return printed;
  }

  #terminal(from: Address | undefined, printed: string[], json: boolean): ModuleTerminal {
    const sender = (): Address => {
      if (from === undefined) throw new Error("this command does not sign");
      return from;
    };
    return {
      rpc: "http://127.0.0.1:1",
      json,
      print: (line) => void printed.push(line),
      ask: async <T>(method: string, params?: readonly unknown[]) => (await this.ask(method, params)) as T,
      account: async () => sender(),
      send: async (call) => this.#send(sender(), call),
    };
  }

  #send(from: Address, { to, data }: ModuleCall) {
    const { ledger } = this;
    ledger.height++;
    const outcome = ledger.call(from, to, data);
    const hash = toHex(hashFromWord(BigInt(ledger.height)));
    ledger.logs.forEach((log, index) => {
      this.logs.push({
        address: toHex(log.address),
        topics: log.topics.map((topic) => toHex(topic)),
        data: toHex(log.data),
        blockNumber: `0x${ledger.height.toString(16)}`,
        transactionHash: hash,
        logIndex: `0x${index.toString(16)}`,
      });
    });
    const status = outcome.status === "success" ? ("success" as const) : ("reverted" as const);
    return { hash, outcome: { status, block: ledger.height, gasUsed: ledger.gasUsed } };
  }
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
