import { Epoch, fromHex, type Hash, unwrap, View } from "@ostrom/base";
import {
  type ConsensusDomain,
  encodeMessage,
  ethereumDomain,
  type Message,
  ValidatorIndex,
  voteSigningBytes,
} from "@ostrom/consensus";
import { bls, keccak256 } from "@ostrom/crypto";
import { installNativeCrypto } from "@ostrom/runtime";
import { CONTROL_CODES, controlFrame } from "../../../node/network/frame-codec.ts";
import type { Identity, PeerAddress } from "../../../node/network/index.ts";
import { dialRaw, type RawClient, rawFrame, rawOptions } from "../../../node/network/testing/raw-client.ts";
import { readSecrets } from "../../../node/runtime/node-keys.ts";
import { ask } from "../rpc-client.ts";
import { messagesFrom, protocolOf } from "./hostile-validator.ts";
import type { ToldValidator } from "./told-validators.ts";
import { LONG_WAIT_MS, waitUntil } from "./wait-until.ts";

/** Slow enough that the gate for dialers from one address stays open. */
const INTERVAL_MS = 300;
/** Views that an honest validator is ahead of what it was heard to say. */
const VIEWS_AHEAD = 4;
/** Nobody needs to have the blocks: two votes in one view contradict each other by themselves. */
const TWO_BLOCKS = [1, 2].map((byte) => keccak256(Uint8Array.of(byte)));

/** Signs two blocks in one view with the keys of a folder whose node does not run, epoch after epoch, and says both to the others, until
 * `isOver`. @param rpc of an honest node. @param peers where the others accept links. */
export async function equivocate(
  folder: string,
  rpc: string,
  peers: readonly PeerAddress[],
  isOver: () => Promise<boolean>,
): Promise<void> {
  installNativeCrypto();
  const { identity, consensusSecret } = unwrap(readSecrets(folder));
  const genesis = await ask<{ readonly hash: string }>(rpc, "eth_getBlockByNumber", ["0x0", false]);
  const domain = ethereumDomain(unwrap(fromHex(genesis.hash)) as Hash);
  const publicKey = bls().publicKey(consensusSecret!.secret);
  const clients = new Map<PeerAddress, RawClient>();
  const say = async (): Promise<void> => {
    const place = await findPlace(rpc, publicKey);
    if (place === undefined) return;
    for (const peer of peers) {
      const client = await welcomedClient(clients.get(peer), peer, domain, identity);
      if (client === undefined) continue;
      clients.set(peer, client);
      const view = View(heardView(client, place.epoch) + VIEWS_AHEAD);
      for (const digest of TWO_BLOCKS) {
        const vote = { kind: "notarize", epoch: place.epoch, view, digest } as const;
        const signature = bls().sign(consensusSecret!.secret, voteSigningBytes(domain, vote));
        const message: Message = { kind: "vote", vote: { vote, signer: place.index, signature } };
        client.socket.write(rawFrame("consensus", encodeMessage(message)));
      }
    }
  };
  try {
    const what = "a contradiction is punished";
    await waitUntil(
      what,
      2 * LONG_WAIT_MS,
      async () => {
        await say();
        return isOver();
      },
      INTERVAL_MS,
    );
  } finally {
    for (const { socket } of clients.values()) socket.destroy();
  }
}

/** The epoch that runs, and the key's place in its set. */
async function findPlace(
  rpc: string,
  publicKey: Uint8Array,
): Promise<{ readonly epoch: Epoch; readonly index: ValidatorIndex } | undefined> {
  const told = await ask<{ readonly epoch: string; readonly validators: readonly ToldValidator[] }>(
    rpc,
    "ostrom_getValidators",
  );
  const wanted = Buffer.from(publicKey).toString("hex");
  const index = told.validators.findIndex(({ consensusKey }) => consensusKey === `0x${wanted}`);
  return index < 0 ? undefined : { epoch: Epoch(Number(told.epoch)), index: ValidatorIndex(index) };
}

/** A connection that is used, or a new one as soon as the peer welcomes it. */
async function welcomedClient(
  known: RawClient | undefined,
  peer: PeerAddress,
  domain: ConsensusDomain,
  identity: Identity,
): Promise<RawClient | undefined> {
  if (known !== undefined && !known.isEnded()) return known;
  const options = { ...rawOptions(identity), ALPNProtocols: [protocolOf(domain)] };
  const client = await dialRaw(peer, options).catch(() => undefined);
  client?.socket.write(controlFrame(CONTROL_CODES.hello));
  return client;
}

/** The highest view of an epoch that the peer has spoken of. */
function heardView(client: RawClient, epoch: Epoch): number {
  const views = messagesFrom(client).map((message) => {
    if (message.kind === "vote") return message.vote.vote.epoch === epoch ? message.vote.vote.view : 0;
    if (message.kind === "certificate")
      return message.certificate.epoch === epoch ? message.certificate.view : 0;
    return 0;
  });
  return Math.max(0, ...views);
}
