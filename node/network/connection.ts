import type { X509Certificate } from "node:crypto";
import type { Bytes } from "@ostrom/base";
import { aboutFrame, readAbout } from "./about-frame.ts";
import {
  CONTROL_CODES,
  controlFrame,
  FRAME_HEADER_BYTES,
  type FrameChannel,
  FrameReader,
  writeFrameHeader,
} from "./frame-codec.ts";
import { FRAME_COST_BYTES, type LinkLimits } from "./limits.ts";
import type { OutgoingFrame, OutgoingQueue } from "./outgoing-queue.ts";
import type { SecureStream } from "./secure-stream.ts";
import type { LinkChannel } from "./types.ts";

export type ConnectionEvents = {
  /** Both sides have said that they know the other. */
  readonly onReady: () => void;
  readonly onFrame: (channel: LinkChannel, payload: Bytes) => void;
  /** There is room to write again. */
  readonly onRoom: () => void;
  /** Once, whoever closed it. */
  readonly onClosed: (reason: CloseReason) => void;
};

/** Codes for logs and statistics. Those in MISCONDUCT are the other side's fault. */
export type CloseReason = string;

export const MISCONDUCT: ReadonlySet<CloseReason> = new Set([
  "network/unknown-channel",
  "network/frame-too-long",
  "network/bad-greeting",
]);

/** Small frames are joined up to this size, so that many of them cost one write and few records. */
const BATCH_BYTES = 64 * 1024;
/** From here on a payload is written as it is: copying it would cost more than a write of its own. */
const LARGE_PAYLOAD_BYTES = 16 * 1024;
const PINGS_PER_IDLE_TIMEOUT = 3;

const CONTROL_FRAMES: Readonly<Record<Exclude<keyof typeof CONTROL_CODES, "about">, Bytes>> = {
  hello: controlFrame(CONTROL_CODES.hello),
  welcome: controlFrame(CONTROL_CODES.welcome),
  ping: controlFrame(CONTROL_CODES.ping),
  pong: controlFrame(CONTROL_CODES.pong),
};

/** One connection with a peer whose identity has been checked. The side that dialed says `hello`, the other answers
 * `welcome`; only then is it ready: in TLS 1.3 a dialing side finishes its handshake before the other has seen its
 * certificate, and would take a refusal for a link. */
export class Connection {
  readonly direction: "dialed" | "accepted";
  /** What the other side showed. */
  readonly certificate: X509Certificate | undefined;
  /** Where the other side is. */
  readonly remoteHost: string;
  readonly received: { frames: number; bytes: number } = { frames: 0, bytes: 0 };
  readonly sent: { frames: number; bytes: number } = { frames: 0, bytes: 0 };
  readonly #stream: SecureStream;
  readonly #limits: LinkLimits;
  readonly #events: ConnectionEvents;
  readonly #reader: FrameReader;
  readonly #program: string | undefined;
  #isReady = false;
  #isClosed = false;
  #isFull = false;
  #isPaused = false;
  /** What the peer may still send in this second. */
  #inboundBudget: number;
  #readyMs = 0;
  #silentMs = 0;
  #sincePingMs = 0;
  /** When the newest ping left that is not answered yet. */
  #pingAt: number | undefined;
  /** Pings without an answer. */
  #unanswered = 0;
  #hasTold = false;
  #roundTripMs: number | undefined;
  #about: string | undefined;
  #stalledMs = 0;

  /** @param program what this end calls itself; undefined: it does not say. */
  constructor(
    stream: SecureStream,
    direction: "dialed" | "accepted",
    limits: LinkLimits,
    events: ConnectionEvents,
    program?: string,
  ) {
    this.#program = program;
    this.direction = direction;
    this.#stream = stream;
    this.certificate = stream.certificate;
    this.remoteHost = stream.remoteHost;
    this.#limits = limits;
    this.#events = events;
    this.#inboundBudget = limits.inboundBytesPerSecond;
    this.#reader = new FrameReader(limits.maxFrameBytes, (channel, payload) =>
      this.#receive(channel, payload),
    );
    stream.listen({
      onBroken: () => this.close("network/broken"),
      onClosed: () => this.close("network/closed-by-peer"),
      onDrain: () => this.#drained(),
      onData: (chunk) => this.#take(chunk),
    });
    if (direction === "dialed") this.#write(CONTROL_FRAMES.hello);
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isClosed;
  }

  /** How long it has been ready. */
  get readyMs(): number {
    return this.#readyMs;
  }

  /** Of the newest ping that was answered. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** What the program at the other end calls itself; undefined: it has not said. */
  get about(): string | undefined {
    return this.#about;
  }

  close(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader.stop();
    this.#stream.destroy();
    this.#events.onClosed(reason);
  }

  /** Writes what waits, as far as there is room. */
  pump(queue: OutgoingQueue): void {
    while (this.isReady && !this.#isFull && !queue.isEmpty) {
      const batch: OutgoingFrame[] = [];
      let size = 0;
      for (
        let frame = queue.take();
        frame !== undefined;
        frame = size < BATCH_BYTES ? queue.take() : undefined
      ) {
        batch.push(frame);
        size += FRAME_HEADER_BYTES + frame.payload.length;
      }
      this.#writeBatch(batch);
    }
  }

  /** Time has passed: sends pings, notices silence, lets a paused peer go on. */
  tick(elapsedMs: number): void {
    this.#silentMs += elapsedMs;
    if (this.#isReady) this.#readyMs += elapsedMs;
    const perSecond = this.#limits.inboundBytesPerSecond;
    this.#inboundBudget = Math.min(perSecond, this.#inboundBudget + (perSecond * elapsedMs) / 1_000);
    if (this.#isPaused) {
      // A peer that we do not listen to cannot be blamed for its silence.
      this.#silentMs = 0;
      if (this.#inboundBudget > 0) this.#resume();
    }
    this.#stalledMs = this.#isFull ? this.#stalledMs + elapsedMs : 0;
    const timeoutMs = this.#isReady ? this.#limits.idleTimeoutMs : this.#limits.handshakeTimeoutMs;
    if (this.#silentMs >= timeoutMs)
      return this.close(this.#isReady ? "network/idle" : "network/handshake-timeout");
    if (this.#stalledMs >= this.#limits.stallTimeoutMs) return this.close("network/stalled");
    this.#sincePingMs += elapsedMs;
    if (
      this.#isReady &&
      !this.#isFull &&
      this.#sincePingMs >= this.#limits.idleTimeoutMs / PINGS_PER_IDLE_TIMEOUT
    ) {
      this.#ping();
    }
  }

  #take(chunk: Bytes): void {
    if (this.#isClosed) return;
    this.#silentMs = 0;
    this.received.bytes += chunk.length;
    this.#inboundBudget -= chunk.length;
    const failure = this.#reader.push(chunk);
    if (failure !== undefined) return this.close(failure.code);
    if (this.#inboundBudget <= 0 && !this.#isPaused) {
      this.#isPaused = true;
      this.#stream.pause();
    }
  }

  #resume(): void {
    this.#isPaused = false;
    this.#stream.resume();
  }

  #receive(channel: FrameChannel, payload: Bytes): void {
    this.#inboundBudget -= FRAME_COST_BYTES;
    if (channel === "control") return this.#receiveControl(payload);
    if (!this.#isReady) return this.close("network/bad-greeting");
    this.received.frames += 1;
    this.#events.onFrame(channel, payload);
  }

  #ping(): void {
    this.#sincePingMs = 0;
    this.#unanswered += 1;
    this.#pingAt = performance.now();
    this.#write(CONTROL_FRAMES.ping);
  }

  #receiveControl(payload: Bytes): void {
    const code = payload[0] ?? 0;
    if (code === CONTROL_CODES.about ? payload.length === 1 : payload.length !== 1)
      return this.close("network/bad-greeting");
    if (!this.#isReady) {
      const greeting = this.direction === "accepted" ? CONTROL_CODES.hello : CONTROL_CODES.welcome;
      if (code !== greeting) return this.close("network/bad-greeting");
      if (this.direction === "accepted") this.#write(CONTROL_FRAMES.welcome);
      this.#isReady = true;
      // This end reads `about`: see about-frame.ts.
      if (this.#program !== undefined) this.#write(CONTROL_FRAMES.pong);
      return this.#events.onReady();
    }
    // A peer that asks without reading the answers gets none: they would pile up here.
    if (code === CONTROL_CODES.ping && !this.#isFull) return this.#write(CONTROL_FRAMES.pong);
    if (code === CONTROL_CODES.pong) return this.#receivePong();
    if (code === CONTROL_CODES.about) return this.#receiveAbout(payload);
    if (code !== CONTROL_CODES.ping) this.close("network/bad-greeting");
  }

  #receivePong(): void {
    if (this.#unanswered > 0) {
      this.#unanswered -= 1;
      if (this.#pingAt !== undefined) this.#roundTripMs = performance.now() - this.#pingAt;
      this.#pingAt = undefined;
    } else if (this.#program !== undefined && !this.#hasTold) {
      this.#hasTold = true;
      this.#write(aboutFrame(this.#program));
      this.#ping();
    }
  }

  #receiveAbout(payload: Bytes): void {
    const about = readAbout(payload);
    if (about === undefined || this.#about !== undefined) return this.close("network/bad-greeting");
    this.#about = about;
  }

  #writeBatch(batch: readonly OutgoingFrame[]): void {
    let small: OutgoingFrame[] = [];
    this.#stream.cork();
    for (const frame of batch) {
      if (frame.payload.length < LARGE_PAYLOAD_BYTES) {
        small.push(frame);
        continue;
      }
      this.#writeJoined(small);
      small = [];
      const header = new Uint8Array(FRAME_HEADER_BYTES);
      writeFrameHeader(header, 0, frame.channel, frame.payload.length);
      this.#write(header);
      this.#write(frame.payload);
    }
    this.#writeJoined(small);
    this.#stream.uncork();
    this.sent.frames += batch.length;
  }

  #writeJoined(frames: readonly OutgoingFrame[]): void {
    if (frames.length === 0) return;
    let size = 0;
    for (const { payload } of frames) size += FRAME_HEADER_BYTES + payload.length;
    const joined = Buffer.allocUnsafe(size);
    let offset = 0;
    for (const { channel, payload } of frames) {
      writeFrameHeader(joined, offset, channel, payload.length);
      joined.set(payload, offset + FRAME_HEADER_BYTES);
      offset += FRAME_HEADER_BYTES + payload.length;
    }
    this.#write(joined);
  }

  #write(bytes: Bytes): void {
    this.sent.bytes += bytes.length;
    if (!this.#stream.write(bytes)) this.#isFull = true;
  }

  #drained(): void {
    this.#isFull = false;
    this.#events.onRoom();
  }
}
