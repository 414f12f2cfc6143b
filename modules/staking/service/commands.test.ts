import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createRandom, must, toHex, unwrap } from "@ostrom/base";
import { addressOfSecretKey } from "@ostrom/execution";
import {
  installNativeCrypto,
  type Json,
  type ModuleTerminal,
  provisionMachine,
  readPublicKeys,
  type Values,
} from "@ostrom/runtime";
import { readStakers, readUnbondings, stakerOfOperator } from "@ostrom/staking-chain";
import { serviceModule } from "./index.ts";
import { type Actor, CHAIN_ID, StakedChain } from "./testing/staked-chain.ts";

installNativeCrypto();

const folder = mkdtempSync(join(tmpdir(), "ostrom-staking-"));
after(() => rmSync(folder, { recursive: true }));

/** A terminal of somebody on the chain: what it sends is executed at once, in a block of its own. */
class ChainTerminal {
  readonly lines: string[] = [];
  readonly #chain: StakedChain;
  readonly #actor: Actor;

  constructor(chain: StakedChain, actor: Actor) {
    this.#chain = chain;
    this.#actor = actor;
  }

  /** Runs `ostrom staking NAME ...`. @returns what it printed. */
  async run(name: string, positionals: readonly string[] = [], given: Values = {}): Promise<string> {
    const command = must(
      serviceModule.commands?.find((one) => one.name === name),
      `there is a command ${name}`,
    );
    const defaults = command.flags.map((flag) => [
      flag.name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      flag.default,
    ]);
    const values: Values = { ...Object.fromEntries(defaults), ...given };
    assert.ok(positionals.length <= (command.maxPositionals ?? 0));
    const from = this.lines.length;
    const exitCode = await command.run(
      { values, positionals, given: new Set(Object.keys(given)) },
      this.#terminal(),
    );
    assert.equal(exitCode, 0);
    return this.lines.slice(from).join("\n");
  }

  #terminal(): ModuleTerminal {
    return {
      rpc: "",
      json: false,
      print: (line) => void this.lines.push(line),
      ask: async <T>(method: string, params: readonly unknown[] = []) =>
        (await this.#ask(method, params)) as T,
      account: async () => addressOfSecretKey(this.#actor.secret),
      send: async (call) => {
        const [succeeded] = await this.#chain.block([[this.#actor, call]]);
        const status = succeeded === true ? "success" : "reverted";
        return { hash: "0x1", outcome: { status, block: this.#chain.height, gasUsed: 1n } };
      },
    };
  }

  async #ask(method: string, params: readonly unknown[]): Promise<unknown> {
    if (method === "eth_chainId") return `0x${CHAIN_ID.toString(16)}`;
    const served = must(
      serviceModule.rpc?.find((one) => one.name === method),
      `${method} is served`,
    );
    return JSON.parse(JSON.stringify((await served.call(this.#chain.reads(), params)) as Json));
  }
}

function machine(name: string): string {
  const path = join(folder, name);
  const random = createRandom(name.length);
  const plan = {
    name,
    folder: path,
    link: { host: "127.0.0.1", port: 30_500 },
    feeRecipient: `0x${"11".repeat(20)}`,
    weight: 1,
  };
  unwrap(
    provisionMachine(plan as Parameters<typeof provisionMachine>[0], [], (length) => random.bytes(length)),
  );
  return path;
}

test("a stranger's life: keys, bond, reveal, commission, another key, exit, withdraw", async () => {
  const chain = new StakedChain(6, 4);
  await chain.start();
  const stranger = must(chain.actors[5], "there are six");
  const account = addressOfSecretKey(stranger.secret);
  const terminal = new ChainTerminal(chain, stranger);
  const path = machine("stranger");
  assert.match(await terminal.run("keys", [path]), /A new key is in .*vrf\.key[\s\S]*operator\.key/);
  assert.equal(statSync(join(path, "keys", "vrf.key")).mode & 0o077, 0);
  const again = await terminal.run("keys", [path]);
  assert.ok(!again.includes("A new key"), "keys that are there stay");
  const registration = join(folder, "stranger.json");
  const place = { operator: toHex(account), host: "stranger.example:30500", name: "stranger" };
  await terminal.run("keys", [path], { ...place, out: registration });
  const bonded = await terminal.run("bond", [], { registration, amount: "5000" });
  assert.match(bonded, /stranger is a validator with 5,000 coins at stake/);
  const id = must(stakerOfOperator(chain.state, account), "it is registered");
  await terminal.run("bond", [], { amount: "500.5" });
  const staker = (): ReturnType<typeof readStakers>[0] =>
    must(readStakers(chain.state, id, 1)[0], "it is there");
  assert.deepEqual([staker().bonded, staker().commission], [5_500_500_000_000_000_000_000n, 500]);
  await terminal.run("commission", ["2.5"]);
  assert.equal(staker().commission, 250);
  await assert.rejects(terminal.run("commission", ["51"]), { name: "UsageError" });
  const before = toHex(staker().consensusKey);
  assert.match(
    await terminal.run("rotate-key", [path]),
    /A new key is in .*consensus-2\.key[\s\S]*the next set has the new key/,
  );
  assert.notEqual(toHex(staker().consensusKey), before);
  assert.equal(toHex(staker().consensusKey), toHex(unwrap(readPublicKeys(path)).consensus[1]!.publicKey));
  assert.match(await terminal.run("status"), /stranger +active +5,500\.5 +5,500\.5 +2\.5%/);
  assert.match(
    await terminal.run("status", [], { account: toHex(account) }),
    /5,500\.5 coins behind stranger/,
  );
  await terminal.run("exit");
  assert.equal(staker().hasExited, true);
  await assert.rejects(terminal.run("withdraw"), { name: "UsageError", message: /nothing out now/ });
  await chain.serveUntil(14, chain.actors.slice(0, 4));
  assert.equal(readUnbondings(chain.state, account)[0]?.amount, 5_500_500_000_000_000_000_000n);
  assert.match(await terminal.run("withdraw"), /5,500\.5 coins are yours again/);
  assert.equal(readUnbondings(chain.state, account).length, 0);
});

test("a delegator's life: delegate, claim, undelegate; what cannot be is said before it is sent", async () => {
  const chain = new StakedChain(5, 4);
  await chain.start();
  await chain.serve(chain.actors);
  const delegator = new ChainTerminal(chain, must(chain.actors[4], "there are five"));
  await assert.rejects(delegator.run("delegate", ["nobody"], { amount: "10" }), {
    message: /no validator "nobody"/,
  });
  await assert.rejects(delegator.run("undelegate", ["validator-1"]), {
    message: /nothing behind validator-1/,
  });
  await assert.rejects(delegator.run("claim"), { message: /no rewards/ });
  await assert.rejects(delegator.run("unjail"), { message: /operates no validator/ });
  await assert.rejects(delegator.run("delegate", ["1"], { amount: "ten" }), { message: /expected coins/ });
  await delegator.run("delegate", ["validator-1"], { amount: "100" });
  await delegator.run("delegate", ["3"], { amount: "40wei" }).then(
    () => assert.fail("less than the least"),
    (error: Error) => assert.match(error.message, /reverted/),
  );
  await chain.serveUntil(3);
  assert.match(await delegator.run("claim"), /coins from validator-1 are yours/);
  assert.match(await delegator.run("undelegate", ["validator-1"]), /100 coins are on their way out/);
  await assert.rejects(delegator.run("undelegate", ["validator-1"]), { message: /nothing behind/ });
});

test("somebody reports by hand what the node has seen", async () => {
  const chain = new StakedChain(5, 4);
  await chain.start();
  await chain.serveUntil(1);
  const [culprit, , , , reporter] = chain.actors;
  const terminal = new ChainTerminal(chain, reporter!);
  await assert.rejects(terminal.run("report"), { message: /nothing to report/ });
  chain.equivocate(culprit!, 1);
  assert.match(
    await terminal.run("report"),
    /announced[\s\S]*validator 1 is slashed for what it did in epoch 1/,
  );
  assert.match(await terminal.run("claim"), /coins for reports are yours/);
  assert.match(await terminal.run("status"), /validator-0 +slashed/);
});

test("a registration for another account, or damaged, is refused with what to do", async () => {
  const chain = new StakedChain(6, 4);
  await chain.start();
  const [stranger, other] = [chain.actors[4]!, chain.actors[5]!];
  const path = machine("elsewhere");
  const terminal = new ChainTerminal(chain, stranger);
  const file = join(folder, "elsewhere.json");
  const operator = toHex(addressOfSecretKey(other.secret));
  await terminal.run("keys", [path], { operator, host: "a.example:1", name: "elsewhere", out: file });
  await assert.rejects(terminal.run("bond", [], { registration: file, amount: "5000" }), {
    message: /that account's key/,
  });
  for (const text of ["", "[]", "{}", '{"format":1,"operator":"0x00"}']) {
    const damaged = join(folder, "damaged.json");
    writeFileSync(damaged, text);
    await assert.rejects(terminal.run("bond", [], { registration: damaged, amount: "5000" }), {
      name: "UsageError",
    });
  }
  await assert.rejects(terminal.run("keys", [join(folder, "absent")]), { name: "UsageError" });
  await assert.rejects(terminal.run("keys", []), { name: "UsageError" });
});
