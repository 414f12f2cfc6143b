import type { Bytes } from "@ostrom/base";
import { decodeMessage, type MessageKind } from "@ostrom/consensus";
import type { Channel, Network, PeerId } from "@ostrom/network";
import type { LinkRole } from "./link-policy.ts";
import { isSnapshotFrame, isSnapshotQuestion } from "./snapshot-messages.ts";

/** What an observer may say: it asks for blocks and certificates, and for nothing to be done. */
const QUESTIONS: ReadonlySet<MessageKind> = new Set<MessageKind>([
  "block-range-request",
  "block-request",
  "certificate-request",
  "state-certificate-request",
  "checkpoint-request",
]);

/** Whether a frame of a peer with this role is read. */
export function isReadFrom(role: LinkRole, channel: Channel, payload: Bytes): boolean {
  if (role === "full") return true;
  if (role === "filtered-observer" || channel === "transactions") return false;
  if (isSnapshotFrame(payload)) return channel === "sync" && isSnapshotQuestion(payload);
  const message = decodeMessage(payload);
  return message.ok && QUESTIONS.has(message.value.kind);
}

/** The links as a node's core sees them: what is said to all is said to those who take part. Strangers are told the height and ask for what
 * they lack; observers whose view is filtered get nothing, because blocks are whole.
 * @param takesPart whether a peer has a place that strangers do not compete for. */
export function guardNetwork(
  network: Network,
  takesPart: (peerId: PeerId) => boolean,
  roleOf: (peerId: PeerId) => LinkRole,
): Network {
  const send: Network["send"] = (peerId, channel, payload) =>
    roleOf(peerId) !== "filtered-observer" && network.send(peerId, channel, payload);
  return {
    send,
    broadcast: (channel, payload) =>
      network.connected().filter((peerId) => takesPart(peerId) && send(peerId, channel, payload)).length,
    connected: network.connected,
  };
}
