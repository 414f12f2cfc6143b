import { join } from "node:path";
import { type Bytes, Epoch, fromHex, type Hash, toHexDigits, unwrap, View } from "@ostrom/base";
import {
  type ConsensusDomain,
  decodeMessage,
  encodeMessage,
  ethereumDomain,
  type Message,
  type SignedVote,
  ValidatorIndex,
  type Vote,
  voteSigningBytes,
} from "@ostrom/consensus";
import { bls } from "@ostrom/crypto";
import { installNativeCrypto } from "@ostrom/runtime";
import { createDisk, openWriteAheadLog } from "@ostrom/storage";
import { CONTROL_CODES, controlFrame } from "../../../node/network/frame-codec.ts";
import type { Identity } from "../../../node/network/index.ts";
import { dialRaw, type RawClient, rawFrame, rawOptions } from "../../../node/network/testing/raw-client.ts";
import { replayJournal } from "../../../node/runtime/journal-records.ts";
import { readSecrets } from "../../../node/runtime/node-keys.ts";
import { ask } from "../rpc-client.ts";
import type { TestNetwork } from "./test-network.ts";
import { LONG_WAIT_MS, waitUntil } from "./wait-until.ts";

const EPOCH = Epoch(0);
/** Slow enough that the gate for strangers from one address stays open. */
const REDIAL_INTERVAL_MS = 250;
const SALT_BYTES = 8;

/** Whoever has the keys of a stopped validator, and says what he likes with them. */
export type HostileValidator = {
  readonly identity: Identity;
  readonly index: ValidatorIndex;
  readonly domain: ConsensusDomain;
  /** As its own: `signature` replaces what its key would give. */
  readonly vote: (vote: Omit<Vote, "epoch">, signature?: Bytes) => Message;
  readonly sign: (bytes: Bytes) => Bytes;
};

export async function stealKeys(network: TestNetwork, index: number): Promise<HostileValidator> {
  installNativeCrypto();
  const { identity, consensusSecret } = unwrap(readSecrets(network.folder(index)));
  const [running] = network.urls;
  const genesis = await ask<{ readonly hash: string }>(running!, "eth_getBlockByNumber", ["0x0", false]);
  const domain = ethereumDomain(unwrap(fromHex(genesis.hash)) as Hash);
  const sign = (bytes: Bytes): Bytes => bls().sign(consensusSecret!.secret, bytes);
  const own = ValidatorIndex(index);
  return {
    identity,
    index: own,
    domain,
    sign,
    vote: (partial, signature) => {
      const vote = { ...partial, epoch: EPOCH };
      return {
        kind: "vote",
        vote: { vote, signer: own, signature: signature ?? sign(voteSigningBytes(domain, vote)) },
      };
    },
  };
}

/** What a stopped validator's log says that it said: votes that its peers have seen before. */
export async function votesInLog(network: TestNetwork, index: number): Promise<readonly SignedVote[]> {
  const disk = createDisk(join(network.folder(index), "data/log"));
  const { log, records } = await openWriteAheadLog(disk, (length) => new Uint8Array(length).fill(SALT_BYTES));
  await log.close();
  return replayJournal(records).records.flatMap((record) => (record.kind === "vote" ? [record.vote] : []));
}

/** Opens a TLS connection to a validator's link port. @param protocol another chain's, if not this one's. */
export function dialLink(
  network: TestNetwork,
  target: number,
  domain: ConsensusDomain,
  identity: Identity | undefined,
  protocol: string = protocolOf(domain),
): Promise<RawClient> {
  const { name, linkPort } = network.file.nodes[target]!;
  const address = { peerId: name, host: "127.0.0.1", port: linkPort };
  return dialRaw(address, { ...rawOptions(identity), ALPNProtocols: [protocol] });
}

export function protocolOf(domain: ConsensusDomain): string {
  return `ostrom/1/${toHexDigits(domain.genesisHash)}`;
}

/** Connects and is welcomed, however long a ban lasts. */
export async function beWelcomed(
  network: TestNetwork,
  target: number,
  { domain, identity }: HostileValidator,
): Promise<RawClient> {
  let client: RawClient | undefined;
  await waitUntil(
    `validator ${target + 1} welcomes the hostile one`,
    LONG_WAIT_MS,
    async () => {
      client = await dialLink(network, target, domain, identity);
      client.socket.write(controlFrame(CONTROL_CODES.hello));
      const { frames, isEnded } = client;
      await waitUntil("an answer", LONG_WAIT_MS, () => frames.length > 0 || isEnded());
      return frames.length > 0;
    },
    REDIAL_INTERVAL_MS,
  );
  return client!;
}

export function send(client: RawClient, ...messages: readonly Message[]): void {
  for (const message of messages) {
    const isSync = message.kind === "block-range" || message.kind === "block-range-request";
    client.socket.write(rawFrame(isSync ? "sync" : "consensus", encodeMessage(message)));
  }
}

/** What the validator has said so far. */
export function messagesFrom(client: RawClient): readonly Message[] {
  return client.frames.flatMap(([channel, payload]) => {
    if (channel !== "consensus" && channel !== "sync") return [];
    const message = decodeMessage(payload);
    return message.ok ? [message.value] : [];
  });
}

/** The highest view that it has spoken of. */
export function heardView(client: RawClient): View {
  const views = messagesFrom(client).map((message) => {
    if (message.kind === "vote") return message.vote.vote.view;
    if (message.kind === "proposal") return message.block.view;
    return message.kind === "certificate" ? message.certificate.view : 0;
  });
  return View(Math.max(0, ...views));
}
