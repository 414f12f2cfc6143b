import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom } from "@ostrom/base";
import { controlFrame, type FrameChannel, FrameReader, writeFrameHeader } from "./frame-codec.ts";

const SIZES = { consensus: 1_000, batches: 1_000, sync: 100_000, transactions: 10, discovery: 100 };

function frame(channel: FrameChannel, payload: Bytes): Bytes {
  const bytes = new Uint8Array(5 + payload.length);
  writeFrameHeader(bytes, 0, channel, payload.length);
  bytes.set(payload, 5);
  return bytes;
}

function read(chunks: readonly Bytes[]): { frames: [FrameChannel, Bytes][]; code: string | undefined } {
  const frames: [FrameChannel, Bytes][] = [];
  const reader = new FrameReader(SIZES, (channel, payload) => frames.push([channel, payload]));
  let code: string | undefined;
  for (const chunk of chunks) code = reader.push(chunk)?.code;
  return { frames, code };
}

test("frames: read however the stream is cut", () => {
  const random = createRandom(1);
  const sent: [FrameChannel, Bytes][] = [
    ["consensus", random.bytes(3)],
    ["sync", random.bytes(70_000)],
    ["transactions", new Uint8Array(0)],
    ["control", Uint8Array.of(3)],
    ["consensus", random.bytes(1_000)],
  ];
  const stream = concatBytes(...sent.map(([channel, payload]) => frame(channel, payload)));
  for (const size of [1, 2, 5, 7, 100, 65_536, stream.length]) {
    const chunks: Bytes[] = [];
    for (let offset = 0; offset < stream.length; offset += size)
      chunks.push(stream.slice(offset, offset + size));
    assert.deepEqual(read(chunks), { frames: sent, code: undefined });
  }
});

test("frames: a payload handed out shares no memory with the stream", () => {
  const stream = frame("consensus", Uint8Array.of(1, 2, 3));
  const { frames } = read([stream]);
  stream.fill(9);
  assert.deepEqual(frames[0]?.[1], Uint8Array.of(1, 2, 3));
  assert.equal(frames[0]?.[1].buffer.byteLength, 3);
});

test("frames: one longer than its channel allows is refused by its header, before its payload comes", () => {
  assert.deepEqual(read([frame("transactions", new Uint8Array(10))]).code, undefined);
  for (const [channel, length] of [
    ["transactions", 11],
    ["consensus", 1_001],
    ["sync", 0xffffffff],
    ["control", 66],
  ] as const) {
    const header = new Uint8Array(5);
    writeFrameHeader(header, 0, channel, length);
    assert.deepEqual(read([header]), { frames: [], code: "network/frame-too-long" });
  }
});

test("frames: an unknown channel is refused, and nothing after it is read", () => {
  for (const id of [6, 17, 255]) {
    const bad = Uint8Array.of(0, 0, 0, 1, id, 0);
    const good = frame("consensus", Uint8Array.of(1));
    const { frames, code } = read([concatBytes(good, bad, good), good]);
    assert.equal(code, "network/unknown-channel");
    assert.equal(frames.length, 1);
  }
});

test("frames: after a stop nothing more is handed out, even of the chunk at hand", () => {
  let count = 0;
  const reader = new FrameReader(SIZES, () => {
    count += 1;
    if (count === 2) reader.stop();
  });
  const one = controlFrame(3);
  reader.push(concatBytes(one, one, one));
  reader.push(one);
  assert.equal(count, 2);
});
