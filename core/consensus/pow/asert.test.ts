import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type AsertSchedule, asertTarget } from "./asert.ts";
import vectors from "./asert-vectors.json" with { type: "json" };

/** Bitcoin's compact form of a target: a byte of length, three bytes of mantissa. */
function fromCompact(bits: string): bigint {
  const value = Number.parseInt(bits.replace("0x", ""), 16);
  const length = value >>> 24;
  const mantissa = BigInt(value & 0x007fffff);
  return length <= 3 ? mantissa >> BigInt(8 * (3 - length)) : mantissa << BigInt(8 * (length - 3));
}

function toCompact(target: bigint): string {
  let length = Math.ceil(target.toString(16).length / 2);
  let mantissa = length <= 3 ? target << BigInt(8 * (3 - length)) : target >> BigInt(8 * (length - 3));
  if (mantissa & 0x00800000n) {
    mantissa >>= 8n;
    length += 1;
  }
  return ((length << 24) | Number(mantissa)).toString(16).padStart(8, "0");
}

type Row = { readonly height: bigint; readonly time: number; readonly bits: string };

function readRows(run: (typeof vectors.runs)[number]): readonly Row[] {
  let height = BigInt(run.anchor.height);
  let time = run.anchor.parentTime;
  return run.rows.split(";").map((row) => {
    const [blocks, seconds, bits] = row.split(" ");
    height += BigInt(blocks ?? "");
    time += Number(seconds);
    return { height, time, bits: bits ?? "" };
  });
}

for (const run of vectors.runs) {
  test(`aserti3-2d ${run.name}: ${run.description}`, () => {
    const { anchor } = run;
    const schedule: AsertSchedule = {
      anchorTarget: fromCompact(anchor.bits),
      maxTarget: fromCompact(vectors.maxTargetBits),
      targetInterval: vectors.targetInterval,
      halflife: vectors.halflife,
    };
    const bitsOf = (height: bigint, time: number): string =>
      toCompact(asertTarget(schedule, time - anchor.parentTime, Number(height - BigInt(anchor.height))));
    const rows = readRows(run);
    for (const { height, time, bits } of rows)
      assert.equal(bitsOf(height, time), bits, `height ${height}, time ${time}`);
    // Rows that the file leaves out lie on straight lines between those it keeps; the digest is of all of them.
    const digest = createHash("sha256");
    let written = 0;
    for (const [index, row] of rows.entries()) {
      const before = rows[index - 1] ?? row;
      const steps = rows.length === run.rowCount ? 1n : row.height - before.height || 1n;
      for (let step = 1n; step <= steps; step++) {
        const time =
          row.time - Number(steps - step) * Number((BigInt(row.time) - BigInt(before.time)) / steps);
        const height = rows.length === run.rowCount ? row.height : row.height - (steps - step);
        digest.update(`${height} ${time} 0x${bitsOf(height, time)}\n`);
        written++;
      }
    }
    assert.equal(written, run.rowCount);
    assert.equal(digest.digest("hex"), run.sha256);
  });
}

test("the unit of time is the caller's: milliseconds give what seconds give", () => {
  const seconds: AsertSchedule = {
    anchorTarget: 2n ** 200n,
    maxTarget: 2n ** 224n,
    targetInterval: 600,
    halflife: 172800,
  };
  const milliseconds = { ...seconds, targetInterval: 600_000, halflife: 172_800_000 };
  for (const [time, height] of [
    [600, 0],
    [100_000, 3],
    [10, 500],
    [-5000, 7],
  ] as const) {
    assert.equal(asertTarget(seconds, time, height), asertTarget(milliseconds, 1000 * time, height));
  }
});

test("hostile times end at the bounds, at once", () => {
  const schedule: AsertSchedule = {
    anchorTarget: 2n ** 200n,
    maxTarget: 2n ** 224n,
    targetInterval: 1,
    halflife: 1,
  };
  assert.equal(asertTarget(schedule, Number.MAX_SAFE_INTEGER, 1), schedule.maxTarget);
  assert.equal(asertTarget(schedule, -Number.MAX_SAFE_INTEGER, 1), 1n);
  assert.equal(asertTarget(schedule, 0, Number.MAX_SAFE_INTEGER - 1), 1n);
});
