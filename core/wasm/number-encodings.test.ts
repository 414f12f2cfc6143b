import assert from "node:assert/strict";
import { test } from "node:test";
import { ENGINE_SUBSET } from "./subset.ts";
import { compareWithV8, noAgreement } from "./testing/agreement.ts";

/** Writes one module in which every kind of number occurs, and pads the number that `padded` counts to `length` bytes.
 * @param spoil whether the padding has bits that no number has.
 * @returns the module and how many numbers are in it. */
function moduleWithPadding(
  padded: number,
  length: number,
  spoil: boolean,
): { readonly bytes: Uint8Array; readonly numbers: number } {
  let numbers = 0;
  const leb = (value: number, filler: number): number[] => {
    if (numbers++ !== padded || length === 1) return [value & 0x7f];
    const bytes = [(value & 0x7f) | 0x80];
    while (bytes.length < length - 1) bytes.push(filler | 0x80);
    bytes.push(spoil ? filler ^ 0x40 : filler);
    return bytes;
  };
  const unsigned = (value: number): number[] => leb(value, 0);
  const signed = (value: number): number[] => leb(value, value < 0 ? 0x7f : 0);
  const sized = (content: number[]): number[] => {
    const size = content.length;
    // Sizes of two bytes keep the numbering of numbers independent of the content.
    const own = numbers++ === padded && length > 2;
    const bytes = [(size & 0x7f) | 0x80, own ? (size >> 7) | 0x80 : size >> 7];
    if (own) {
      while (bytes.length < length - 1) bytes.push(0x80);
      bytes.push(spoil ? 0x40 : 0);
    }
    return [...bytes, ...content];
  };
  const section = (id: number, items: number[][]): number[] => [
    id,
    ...sized([...unsigned(items.length), ...items.flat()]),
  ];
  const name = (text: string): number[] => [...unsigned(text.length), ...Buffer.from(text)];
  const constant = [0x41, ...signed(0), 0x0b];

  const code = [
    ...[
      0x41,
      ...signed(5),
      0x1a,
      0x41,
      ...signed(-5),
      0x1a,
      0x42,
      ...signed(7),
      0x1a,
      0x42,
      ...signed(-7),
      0x1a,
    ],
    ...[0x02, ...signed(0), 0x0c, ...unsigned(0), 0x0b],
    ...[0x02, 0x40, 0x41, 0x00, 0x0e, ...unsigned(1), ...unsigned(0), ...unsigned(0), 0x0b],
    ...[0x20, ...unsigned(0), 0x21, ...unsigned(0), 0x23, ...unsigned(0), 0x24, ...unsigned(0)],
    ...[0x41, 0x00, 0x28, ...unsigned(2), ...unsigned(4), 0x1a, 0x3f, ...unsigned(0), 0x1a],
    ...[0x10, ...unsigned(0), 0x41, 0x00, 0x11, ...unsigned(0), ...unsigned(0)],
    ...[0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0xfc, ...unsigned(10), ...unsigned(0), ...unsigned(0)],
    ...[0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0xfc, ...unsigned(11), ...unsigned(0)],
    ...[0x41, 0x00, 0xfd, ...unsigned(0x11), 0x1a],
    ...[0x41, 0x00, 0x41, 0x00, 0x41, 0x00, 0x1c, ...unsigned(1), 0x7f, 0x1a, 0x0b],
  ];
  const bytes = [
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [[0x60, ...unsigned(0), ...unsigned(0)]]),
    ...section(2, [[...name("m"), ...name("f"), 0x00, ...unsigned(0)]]),
    ...section(3, [unsigned(0)]),
    ...section(4, [[0x70, 0x01, ...unsigned(1), ...unsigned(2)]]),
    ...section(5, [[0x01, ...unsigned(1), ...unsigned(2)]]),
    ...section(6, [[0x7f, 0x01, ...constant]]),
    ...section(7, [[...name("e"), 0x00, ...unsigned(1)]]),
    ...section(9, [[...unsigned(0), ...constant, ...unsigned(1), ...unsigned(0)]]),
    ...[12, ...sized(unsigned(1))],
    ...section(10, [sized([...unsigned(1), ...unsigned(1), 0x7f, ...code])]),
    ...section(11, [[...unsigned(0), ...constant, ...unsigned(1), 0x2a]]),
  ];
  return { bytes: Uint8Array.from(bytes), numbers };
}

test("numbers may be padded exactly as far as V8 lets them", () => {
  const counts = noAgreement();
  const { numbers } = moduleWithPadding(-1, 1, false);
  for (let padded = -1; padded < numbers; padded++) {
    for (let length = 2; length <= 11; length++) {
      for (const spoil of [false, true]) {
        const { bytes } = moduleWithPadding(padded, length, spoil);
        const complaint = compareWithV8(bytes, ENGINE_SUBSET, counts);
        assert.equal(complaint, undefined, `number ${padded} in ${length} bytes${spoil ? ", spoilt" : ""}`);
      }
    }
  }
  assert.equal(counts.outsideButV8Accepts, 3, "a typed select of 257 types and more, which V8 takes for 1");
  assert.ok(counts.bothAccept > 300);
  assert.ok(counts.bothRefuse > 300);
});
