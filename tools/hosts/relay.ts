// node relay.ts VALIDATORS LATENCY_MS, in the hub's namespace: holds each packet back for the latency, then passes it on. It ends when
// the process that started it does, and answers every message of it with its figures.
import { createSocket, type Socket } from "node:dgram";
import { readFileSync } from "node:fs";
import { completeChecksum, receiverOf } from "./packet.ts";
import { hostAddress, hubAddress, VXLAN_PORT } from "./topology.ts";

/** What the relay did. @property worstLateMs the longest that a packet waited beyond the latency. */
export type RelayFigures = {
  readonly packets: number;
  readonly bytes: number;
  readonly worstLateMs: number;
  readonly meanLateMs: number;
  /** Those for which its sockets had no room. */
  readonly dropped: number;
};

type Waiting = { readonly datagram: Buffer; readonly receiver: number; readonly dueMs: number };

const validators = Number(process.argv[2]);
const latencyMs = Number(process.argv[3]);
const sockets = await Promise.all(Array.from({ length: validators }, (_, index) => open(index)));
/** In the order in which they are due, because all wait equally long. */
let waiting: Waiting[] = [];
let isTimerSet = false;
let packets = 0;
let bytes = 0;
let lateMs = 0;
let worstLateMs = 0;

process.on("disconnect", () => process.exit(0));
process.on("message", () => {
  process.send?.({
    packets,
    bytes,
    worstLateMs: Math.round(worstLateMs),
    meanLateMs: Math.round((10 * lateMs) / Math.max(1, packets)) / 10,
    dropped: droppedBySockets(),
  } satisfies RelayFigures);
});
process.send?.("ready");

/** A socket for each validator, so that each has a receive buffer of its own. */
function open(index: number): Promise<Socket> {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 4 * 1024 * 1024,
    sendBufferSize: 4 * 1024 * 1024,
  });
  socket.on("message", (datagram) => {
    const receiver = receiverOf(datagram, validators);
    if (receiver === undefined) return;
    completeChecksum(datagram);
    waiting.push({ datagram, receiver, dueMs: performance.now() + latencyMs });
    if (!isTimerSet) setTimer();
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(VXLAN_PORT, hubAddress(index), () => {
      // From now on: a validator that is gone is nobody's trouble here.
      socket.removeListener("error", reject).on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** Linux: the last column of /proc/net/udp. */
function droppedBySockets(): number {
  const [, ...lines] = readFileSync("/proc/self/net/udp", "utf8").trim().split("\n");
  return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/).at(-1)), 0);
}

function setTimer(): void {
  isTimerSet = true;
  setTimeout(passOn, Math.max(0, waiting[0]!.dueMs - performance.now()));
}

function passOn(): void {
  isTimerSet = false;
  const nowMs = performance.now();
  let due = 0;
  for (; due < waiting.length && waiting[due]!.dueMs <= nowMs + 0.5; due++) {
    const { datagram, receiver, dueMs } = waiting[due]!;
    sockets[receiver]!.send(datagram, VXLAN_PORT, hostAddress(receiver));
    packets++;
    bytes += datagram.length;
    lateMs += Math.max(0, nowMs - dueMs);
    worstLateMs = Math.max(worstLateMs, nowMs - dueMs);
  }
  waiting = waiting.slice(due);
  if (waiting.length > 0) setTimer();
}
