import { setTimeout as pause } from "node:timers/promises";
import { Address, type Bytes, fromHex, Hash, toHex, unwrap } from "@ostrom/base";
import { workPreimage } from "@ostrom/execution";
import { installNativeCrypto, readPublicKeys } from "@ostrom/runtime";
import type { Hex } from "viem";
import { type Command, type CommandInput, UsageError } from "../command.ts";
import { DEFAULT_RPC_URL } from "../rpc-client.ts";
import { KEY_FLAGS, readSigningKey } from "../signing-key.ts";
import { startTicketMiner, type TicketMiner } from "../ticket-miner.ts";
import { readHost } from "../units.ts";
import { askContract, contractCall, VALIDATOR_SET_ADDRESS } from "../validator-contracts.ts";
import { connectWallet, type Wallet } from "../wallet.ts";

/** How often the chain is asked whether the challenge has changed. */
const POLL_MS = 1_000;
const NO_CHALLENGE = `0x${"00".repeat(32)}`;

export const work: Command = {
  name: "work",
  summary: "find tickets of work, where they elect the validators, and hand them in",
  usage: "--keys FOLDER --host HOST:PORT [--tickets N]",
  flags: [
    { name: "keys", kind: "text", placeholder: "FOLDER", help: "the node that is to validate: its folder" },
    {
      name: "consensus-key",
      kind: "text",
      placeholder: "HEX",
      help: "public key of the one to validate with (default: that of consensus.key)",
    },
    {
      name: "host",
      kind: "text",
      placeholder: "HOST[:PORT]",
      help: "where the other validators reach the node",
    },
    { name: "tickets", kind: "number", help: "stop after so many (default: go on until Ctrl-C)" },
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "the node that is asked, and sent to",
      default: DEFAULT_RPC_URL,
    },
    ...KEY_FLAGS,
  ],
  examples: [
    "ostrom work --keys validator-1 --host node1.example:30310 --key-file alice.key",
    "ostrom work --keys validator-1 --host 127.0.0.1:30310 --dev 0 --tickets 3",
  ],
  run: async (input) => {
    const { values } = input;
    const wanted = (values["tickets"] as number | undefined) ?? Number.POSITIVE_INFINITY;
    if (values["host"] === undefined)
      throw new UsageError("say where the others reach the node: --host HOST:PORT");
    const endpoint = readHost(String(values["host"]), "--host");
    installNativeCrypto();
    const keys = readMinerKeys(input);
    const rpc = String(values["rpc"]);
    const wallet = await connectWallet(rpc, readSigningKey(input));
    const miner = startTicketMiner();
    const stop = new AbortController();
    const interrupt = (): void => stop.abort();
    process.once("SIGINT", interrupt);
    try {
      const session = { rpc, wallet, miner, keys, endpoint, stop: stop.signal };
      return await mine(session, wanted, (line, json) =>
        console.log(values["json"] === true ? JSON.stringify(json) : line),
      );
    } finally {
      process.off("SIGINT", interrupt);
      await miner.stop();
    }
  },
};

type MinerKeys = {
  readonly consensusKey: Bytes;
  readonly proofOfPossession: Bytes;
  readonly transportKey: Bytes;
};

type Session = {
  readonly rpc: string;
  readonly wallet: Wallet;
  readonly miner: TicketMiner;
  readonly keys: MinerKeys;
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly stop: AbortSignal;
};

type Tell = (line: string, json: Readonly<Record<string, unknown>>) => void;

function readMinerKeys({ values }: CommandInput): MinerKeys {
  const folder = values["keys"];
  if (typeof folder !== "string") throw new UsageError("say which node is to validate: --keys FOLDER");
  const read = readPublicKeys(folder);
  if (!read.ok) throw new UsageError(read.error.message);
  const { peerId, consensus } = read.value;
  const [first] = consensus;
  const wanted = String(values["consensusKey"] ?? toHex(first.publicKey)).toLowerCase();
  const key = consensus.find(({ publicKey }) => toHex(publicKey) === wanted);
  if (key === undefined) throw new UsageError(`--consensus-key: ${folder} holds no key with ${wanted}`);
  const { publicKey, proofOfPossession } = key;
  return { consensusKey: publicKey, proofOfPossession, transportKey: unwrap(fromHex(peerId)) };
}

/** @returns the exit code: 0 if all that was wanted is handed in, or somebody has stopped it. */
async function mine(session: Session, wanted: number, tell: Tell): Promise<number> {
  let done = 0;
  let isWaiting = false;
  while (done < wanted && !session.stop.aborted) {
    const task = await readTask(session);
    if (task.challenge === NO_CHALLENGE) {
      const line = "No ticket counts before the next epoch's set is decided: waiting.";
      if (!isWaiting) tell(line, { event: "waiting" });
      isWaiting = true;
      await waitAWhile(session.stop);
      continue;
    }
    const nonce = await findTicket(session, task);
    if (nonce === undefined || !(await handIn(session, task, nonce))) continue;
    done++;
    tell(`ticket ${done}: nonce ${nonce}, challenge ${task.challenge.slice(0, 18)}...`, {
      event: "ticket",
      nonce: nonce.toString(),
      challenge: task.challenge,
    });
  }
  return 0;
}

type Task = {
  readonly challenge: Hex;
  readonly target: bigint;
  readonly from: bigint;
  readonly preimage: Bytes;
};

async function readTask({ rpc, wallet, keys }: Session): Promise<Task> {
  const { address } = wallet.account;
  const [challenge, target, [, lastNonce, hasWorked]] = await Promise.all([
    askContract<Hex>(rpc, "challenge"),
    askContract<bigint>(rpc, "target"),
    askContract<readonly [bigint, bigint, boolean]>(rpc, "minerOf", [address]),
  ]);
  const preimage = workPreimage({
    chainId: BigInt(wallet.chainId),
    challenge: Hash(unwrap(fromHex(challenge))),
    miner: Address(unwrap(fromHex(address))),
    keys,
  });
  return { challenge, target, from: hasWorked ? lastNonce + 1n : 0n, preimage };
}

/** @returns undefined if another challenge has come, or somebody stops it. */
async function findTicket({ rpc, miner, stop }: Session, task: Task): Promise<bigint | undefined> {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, stop]);
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      await waitAWhile(signal);
      if (!signal.aborted && (await askContract<Hex>(rpc, "challenge")) !== task.challenge) ended.abort();
    }
  };
  const watching = watch().finally(() => ended.abort());
  const nonce = await miner.find(task, signal);
  ended.abort();
  await watching;
  return nonce;
}

const REFUSED =
  "the contract refuses the ticket. Most likely its keys are another's: those of a genesis validator may be handed in only by the " +
  "account that genesis.json names for it; take that account, or make new keys";

/** @returns false if the ticket came too late. @throws UsageError if it is refused for another reason. */
async function handIn(session: Session, { challenge }: Task, nonce: bigint): Promise<boolean> {
  const { rpc, wallet, keys, endpoint } = session;
  const { consensusKey, proofOfPossession, transportKey } = keys;
  const words = [toHex(consensusKey), toHex(proofOfPossession), toHex(transportKey)];
  const data = contractCall("submitWork", [...words, endpoint.host, endpoint.port, nonce]);
  const isLate = async (): Promise<boolean> => (await askContract<Hex>(rpc, "challenge")) !== challenge;
  try {
    const hash = await wallet.send({ to: VALIDATOR_SET_ADDRESS, data, value: 0n });
    const { status } = await wallet.receipt(hash);
    if (status === "success") return true;
    if (await isLate()) return false;
    throw new UsageError(`the contract refuses the ticket in transaction ${hash}`);
  } catch (error) {
    if (await isLate()) return false;
    if (error instanceof Error && error.message.includes("execution reverted")) throw new UsageError(REFUSED);
    throw error;
  }
}

function waitAWhile(signal: AbortSignal): Promise<void> {
  return pause(POLL_MS, undefined, { signal }).catch(() => undefined);
}
