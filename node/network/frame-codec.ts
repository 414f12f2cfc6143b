import { assert, type Bytes, type Failure, fail, must } from "@ostrom/base";
import type { LinkChannel } from "./types.ts";

/** A frame: length of the payload (4 bytes, big-endian), channel (1 byte), payload. */
export const FRAME_HEADER_BYTES = 5;

/** Channel 0 is the links' own; its payload is one byte, of `about` more. */
export type FrameChannel = LinkChannel | "control";

export const CONTROL_CODES: {
  /** The dialing side has checked whom it reached. Always its first frame. */
  readonly hello: 1;
  /** The accepting side has checked who dialed, and answers `hello`. Always its first frame. */
  readonly welcome: 2;
  readonly ping: 3;
  readonly pong: 4;
  /** What the sender's program calls itself, in the rest of the payload. Only to who has shown that it reads it (about-frame.ts). */
  readonly about: 5;
} = { hello: 1, welcome: 2, ping: 3, pong: 4, about: 5 };

const CHANNEL_IDS: Readonly<Record<FrameChannel, number>> = {
  control: 0,
  consensus: 1,
  sync: 2,
  transactions: 3,
  discovery: 4,
  batches: 5,
};
const CHANNEL_OF_ID: readonly FrameChannel[] = [
  "control",
  "consensus",
  "sync",
  "transactions",
  "discovery",
  "batches",
];
/** The code, and of `about` a name. */
export const MAX_CONTROL_BYTES = 65;

export type FrameErrorCode = "network/unknown-channel" | "network/frame-too-long";

export type FrameSizes = Readonly<Record<LinkChannel, number>>;

export function writeFrameHeader(target: Bytes, offset: number, channel: FrameChannel, length: number): void {
  new DataView(target.buffer, target.byteOffset, target.byteLength).setUint32(offset, length);
  target[offset + 4] = CHANNEL_IDS[channel];
}

export function controlFrame(code: number, rest: Bytes = new Uint8Array(0)): Bytes {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + 1 + rest.length);
  writeFrameHeader(frame, 0, "control", 1 + rest.length);
  frame[FRAME_HEADER_BYTES] = code;
  frame.set(rest, FRAME_HEADER_BYTES + 1);
  return frame;
}

/** Cuts a stream of bytes into frames. It never holds more than one frame's payload, and refuses a frame by its header alone. */
export class FrameReader {
  readonly #maxBytes: FrameSizes;
  readonly #onFrame: (channel: FrameChannel, payload: Bytes) => void;
  readonly #header: Uint8Array = new Uint8Array(FRAME_HEADER_BYTES);
  #headerLength = 0;
  #channel: FrameChannel = "control";
  /** Bytes of the payload that have not come yet; meaningful while the header is complete. */
  #missing = 0;
  #parts: Bytes[] = [];
  #failure: Failure<FrameErrorCode> | undefined;
  #isStopped = false;

  /** @param onFrame is handed payloads that are its own: they share no memory with the stream. */
  constructor(maxBytes: FrameSizes, onFrame: (channel: FrameChannel, payload: Bytes) => void) {
    this.#maxBytes = maxBytes;
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes of the stream. They may be kept until their frame is complete, and must not change.
   * @returns what is wrong with the stream, from then on forever, or undefined. */
  push(chunk: Bytes): Failure<FrameErrorCode> | undefined {
    let offset = 0;
    while (offset < chunk.length && this.#failure === undefined && !this.#isStopped) {
      if (this.#headerLength < FRAME_HEADER_BYTES) {
        offset = this.#takeHeader(chunk, offset);
      } else {
        const taken = chunk.subarray(offset, offset + this.#missing);
        this.#parts.push(taken);
        this.#missing -= taken.length;
        offset += taken.length;
      }
      if (this.#headerLength === FRAME_HEADER_BYTES && this.#missing === 0) this.#finishFrame();
    }
    return this.#failure;
  }

  /** Drops what has not been handed out, now and later: nothing of a stream is to be read after its end was decided. */
  stop(): void {
    this.#isStopped = true;
    this.#parts = [];
  }

  #takeHeader(chunk: Bytes, offset: number): number {
    const taken = chunk.subarray(offset, offset + FRAME_HEADER_BYTES - this.#headerLength);
    this.#header.set(taken, this.#headerLength);
    this.#headerLength += taken.length;
    if (this.#headerLength === FRAME_HEADER_BYTES) this.#readHeader();
    return offset + taken.length;
  }

  #readHeader(): void {
    const length = new DataView(this.#header.buffer).getUint32(0);
    const channel = CHANNEL_OF_ID[must(this.#header[4], "a header has five bytes")];
    if (channel === undefined) {
      this.#failure = fail("network/unknown-channel", `a frame of channel ${this.#header[4]}`).error;
      return;
    }
    const limit = channel === "control" ? MAX_CONTROL_BYTES : this.#maxBytes[channel];
    if (length > limit) {
      this.#failure = fail("network/frame-too-long", `a frame of ${length} bytes on ${channel}`).error;
      return;
    }
    this.#channel = channel;
    this.#missing = length;
  }

  #finishFrame(): void {
    if (this.#failure !== undefined) return;
    const payload = joined(this.#parts);
    this.#parts = [];
    this.#headerLength = 0;
    this.#onFrame(this.#channel, payload);
  }
}

/** Always a copy: a small payload must not keep a large chunk of the stream alive. */
function joined(parts: readonly Bytes[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  assert(offset === length, "all parts are copied");
  return whole;
}
