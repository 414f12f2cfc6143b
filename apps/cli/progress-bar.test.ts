import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { startProgress } from "./progress-bar.ts";

/** What a terminal, or a file, is given. */
function fakeStream(isTTY: boolean): { readonly stream: NodeJS.WriteStream; readonly text: () => string } {
  let written = "";
  const sink = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      written += chunk;
      done();
    },
  });
  const stream = Object.assign(sink, { isTTY, columns: 100 }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => written };
}

test("a bar is drawn on a terminal alone, and not for programs", () => {
  for (const [isTTY, isSilent] of [
    [false, false],
    [true, true],
  ] as const) {
    const { stream, text } = fakeStream(isTTY);
    const progress = startProgress({ label: "export", total: 10, unit: "blocks", isSilent, stream });
    progress.update(5);
    progress.end();
    assert.equal(text(), "");
  }
});

test("it says how far, how fast and how long still; the line is gone at the end, and the cursor there again", () => {
  const { stream, text } = fakeStream(true);
  let now = 0;
  const progress = startProgress({ label: "export", total: 200, unit: "blocks", stream, nowMs: () => now });
  now = 1_000;
  progress.update(50, "note");
  assert.match(text(), / 25% {2}50 of 200 blocks {2}50 blocks\/s {2}3 s left {2}note/);
  progress.end();
  assert.ok(text().endsWith("\r\u001b[2K\u001b[?25h"));
});

test("it is drawn no oftener than somebody can read, but its end always", () => {
  const { stream, text } = fakeStream(true);
  let now = 0;
  const progress = startProgress({ label: "x", total: 100, unit: "blocks", stream, nowMs: () => now });
  for (let done = 1; done < 100; done++) {
    now += 1;
    progress.update(done);
  }
  const before = text().split("\r").length;
  assert.ok(before <= 4, `${before} drawings`);
  progress.update(100);
  assert.match(text(), /100%/);
  progress.end();
});
