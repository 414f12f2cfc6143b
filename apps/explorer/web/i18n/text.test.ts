import assert from "node:assert/strict";
import { test } from "node:test";
import { createFormats } from "./formats.ts";
import { formatText } from "./text.ts";

const section = {
  en: { blocks: { one: "{count} block", other: "{count} blocks" }, hello: "Hello {name}, {missing}" },
  zh: { blocks: { one: "{count} 个区块", other: "{count} 个区块" }, hello: "{name}，你好，{missing}" },
} as const;

test("a count chooses the form by the language's plural rules and is written the language's way", () => {
  assert.equal(formatText(section, "en", "blocks", { count: 1 }), "1 block");
  assert.equal(formatText(section, "en", "blocks", { count: 12_000 }), "12,000 blocks");
  assert.equal(formatText(section, "zh", "blocks", { count: 1 }), "1 个区块");
});

test("a value that is not given leaves its place visible", () => {
  assert.equal(formatText(section, "en", "hello", { name: "Elinor" }), "Hello Elinor, {missing}");
});

test("times of a clock that is ahead are now, never in the future", () => {
  const en = createFormats("en");
  assert.equal(en.relative(5_000, 1_000), en.relative(1_000, 1_000));
  assert.match(en.relative(1_000, 1_000), /ago/);
  assert.match(en.relative(0, 90_000), /1 min/);
  assert.match(createFormats("zh").relative(1_000, 1_000), /前/);
});

test("durations and bytes take the unit that keeps them short", () => {
  const { duration, bytes } = createFormats("en");
  assert.deepEqual([2.34, 950, 1_500, 90_000].map(duration), ["2.3ms", "950ms", "1.5s", "1.5m"]);
  assert.deepEqual([831, 12_345].map(bytes), ["831B", "12.3kB"]);
});
