import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { Bytes } from "@ostrom/base";
import { endpointOf, type SecureStream, type StreamEvents } from "./secure-stream.ts";
import type { SmHandshake, SmSession } from "./sm-handshake.ts";
import {
  MAX_SM_PLAIN_BYTES,
  SM_RECORD_TYPES,
  SM4_GCM_TAG_BYTES,
  type SmRecord,
  SmRecordReader,
} from "./sm-records.ts";
import type { PeerId } from "./types.ts";

export type SmStreamPorts = {
  readonly onStream: (stream: SecureStream) => void;
  /** The handshake failed, and the connection was closed. */
  readonly onFailed: () => void;
  /** Computes a step of the handshake, now or when its turn comes. @returns a function that forgets it. */
  readonly run: (step: () => void) => () => void;
};

/** Sealed records that may wait in the socket. Sealing goes on when they are gone, so that one large frame never holds up the event loop. */
const SEALED_AHEAD_BYTES = 256 * 1024;
const MAX_BODY_BYTES = MAX_SM_PLAIN_BYTES + SM4_GCM_TAG_BYTES;

/** A connection of the SM channel, from its handshake to its end. What is not yet opened is at most what the socket gave last and one record; what is
 * not yet sealed is what the consumer wrote before it was told that there is no room. */
export class SmStream implements SecureStream {
  readonly remoteHost: string;
  readonly endpoint: string;
  readonly #socket: Socket;
  readonly #handshake: SmHandshake;
  readonly #ports: SmStreamPorts;
  readonly #reader: SmRecordReader = new SmRecordReader();
  #session: SmSession | undefined;
  #events: StreamEvents | undefined;
  #forgetStep: () => void = () => {};
  #isComputing = false;
  #isPaused = false;
  #isEnded = false;
  /** Written, and not sealed yet. */
  readonly #waiting: Bytes[] = [];
  #waitingBytes = 0;
  #isCorked = false;
  /** The consumer was told that there is no room. */
  #owesDrain = false;

  constructor(socket: Socket, handshake: SmHandshake, ports: SmStreamPorts) {
    this.#socket = socket;
    this.#handshake = handshake;
    this.#ports = ports;
    this.remoteHost = socket.remoteAddress ?? "";
    this.endpoint = endpointOf(socket);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    // Where the other side reads fast, a socket drains within a turn of the event loop: others have theirs before more is sealed.
    socket.on("drain", () =>
      this.#waitingBytes > 0 ? setImmediate(() => this.#drained()) : this.#drained(),
    );
    socket.on("error", () => this.#broken());
    socket.on("close", () => this.#closed());
  }

  get peerId(): PeerId | undefined {
    return this.#session?.peerId;
  }

  get certificate(): X509Certificate | undefined {
    return this.#session?.certificate;
  }

  listen(events: StreamEvents): void {
    this.#events = events;
  }

  write(bytes: Bytes): boolean {
    if (bytes.length > 0) this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#isCorked) this.#pump();
    const hasRoom = this.#isCorked ? this.#waitingBytes < SEALED_AHEAD_BYTES : this.#isFlushed();
    if (!hasRoom) this.#owesDrain = true;
    return hasRoom;
  }

  /** What is written until `uncork` shares records. */
  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    this.#pump();
    // The socket tells only of room that it had not.
    if (this.#owesDrain && this.#isFlushed()) process.nextTick(() => this.#drained());
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#advance();
    if (!this.#isPaused) this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Bytes): void {
    this.#reader.push(chunk);
    this.#advance();
  }

  /** Takes as many records as have come. */
  #advance(): void {
    while (!this.#isPaused && !this.#isComputing && !this.#isEnded && !this.#socket.destroyed) {
      const isOpen = this.#session !== undefined;
      const { type, maxBytes } = isOpen ? DATA : this.#handshake.expects;
      const record = this.#reader.next(type, maxBytes);
      if (record === undefined) return;
      if ("code" in record) return this.#broken();
      if (isOpen) this.#open(record);
      else this.#compute(record);
    }
  }

  #open({ header, body }: SmRecord): void {
    const plain = this.#session?.opener.open(header, body);
    // An empty record would cost the other side nothing and be counted nowhere.
    if (plain === undefined || plain.length === 0) return this.#broken();
    this.#events?.onData(plain);
  }

  #compute(record: SmRecord): void {
    this.#isComputing = true;
    this.#socket.pause();
    this.#forgetStep = this.#ports.run(() => {
      this.#isComputing = false;
      if (this.#isEnded || this.#socket.destroyed) return;
      const step = this.#handshake.receive(record);
      if (!step.ok) return this.#broken();
      if (step.value.send.length > 0) this.#socket.write(step.value.send);
      this.#session = step.value.session;
      if (this.#session !== undefined) this.#ports.onStream(this);
      this.#advance();
      if (!this.#isPaused && !this.#isComputing) this.#socket.resume();
    });
  }

  #isFlushed(): boolean {
    return this.#waitingBytes === 0 && !this.#socket.writableNeedDrain;
  }

  #drained(): void {
    this.#pump();
    if (!this.#owesDrain || !this.#isFlushed() || this.#isEnded) return;
    this.#owesDrain = false;
    this.#events?.onDrain();
  }

  /** Seals what waits, as far as the socket has room. */
  #pump(): void {
    const sealer = this.#session?.sealer;
    if (sealer === undefined || this.#waitingBytes === 0 || this.#socket.destroyed) return;
    this.#socket.cork();
    while (this.#waitingBytes > 0 && this.#socket.writableLength < SEALED_AHEAD_BYTES) {
      const record = sealer.seal(SM_RECORD_TYPES.data, ...this.#takeParts());
      if (record === undefined) {
        this.#broken();
        break;
      }
      this.#socket.write(record);
    }
    this.#socket.uncork();
  }

  /** What goes into the next record. */
  #takeParts(): readonly Bytes[] {
    const parts: Bytes[] = [];
    let room = MAX_SM_PLAIN_BYTES;
    let count = 0;
    while (room > 0 && count < this.#waiting.length) {
      const first = this.#waiting[count] ?? new Uint8Array(0);
      parts.push(first.subarray(0, room));
      if (first.length <= room) count += 1;
      else this.#waiting[count] = first.subarray(room);
      room -= Math.min(room, first.length);
    }
    this.#waiting.splice(0, count);
    this.#waitingBytes -= MAX_SM_PLAIN_BYTES - room;
    return parts;
  }

  /** The connection can be trusted no longer. Nobody is told why: he might learn from it. */
  #broken(): void {
    if (this.#isEnded) return;
    if (this.#session !== undefined) this.#events?.onBroken();
    this.#socket.destroy();
  }

  #closed(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#forgetStep();
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    if (this.#session === undefined) this.#ports.onFailed();
    else this.#events?.onClosed();
  }
}

const DATA = { type: SM_RECORD_TYPES.data, maxBytes: MAX_BODY_BYTES };
