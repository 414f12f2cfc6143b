import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createRandom } from "@ostrom/base";
import { OperatorLog } from "./operator-log.ts";
import {
  MAX_RECORD_LINE_BYTES,
  OPERATOR_LOG_FILE,
  type OperatorRecord,
  readOperatorLog,
} from "./operator-log-format.ts";

const NOW = Date.UTC(2026, 10, 23);

async function inFolder(use: (folder: string, path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-operator-log-"));
  try {
    await use(folder, join(folder, OPERATOR_LOG_FILE));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fill(folder: string, count: number): Promise<void> {
  const log = await OperatorLog.open(folder, () => NOW);
  for (let n = 0; n < count; n++) await log.append({ act: "test.done", actor: "node", details: { n } });
  await log.close();
}

async function read(path: string): Promise<{ readonly records: OperatorRecord[]; readonly end: string }> {
  const records: OperatorRecord[] = [];
  for await (const step of readOperatorLog(path)) {
    if (step.kind !== "record") return { records, end: step.kind };
    records.push(step.record);
  }
  return { records, end: "whole" };
}

test("records follow one another over restarts, and others than their owner cannot read them", async () => {
  await inFolder(async (folder, path) => {
    await fill(folder, 3);
    await fill(folder, 2);
    const { records, end } = await read(path);
    assert.equal(end, "whole");
    assert.deepEqual(
      records.map(({ sequence, details }) => [sequence, details["n"]]),
      [
        [1, 0],
        [2, 1],
        [3, 2],
        [4, 0],
        [5, 1],
      ],
    );
    assert.equal(statSync(path).mode & 0o077, 0);
  });
});

test("acts that come at once are written one after another", async () => {
  await inFolder(async (folder, path) => {
    const log = await OperatorLog.open(folder, () => NOW);
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => log.append({ act: "test.done", actor: "node", details: { n } })),
    );
    assert.equal(log.head.sequence, 50);
    await log.close();
    const { records, end } = await read(path);
    assert.deepEqual([records.length, end], [50, "whole"]);
  });
});

test("a line cut off at any byte is taken off at the next start, and a record says how much", async () => {
  await inFolder(async (folder, path) => {
    await fill(folder, 3);
    const whole = readFileSync(path);
    const lastLine = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let length = lastLine; length < whole.length; length += 17) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const log = await OperatorLog.open(folder, () => NOW);
      await log.close();
      const { records, end } = await read(path);
      assert.equal(end, "whole");
      const repaired = records.at(-1)!;
      if (length === lastLine) assert.equal(records.length, 2);
      else
        assert.deepEqual(
          [repaired.act, repaired.details],
          ["log.repaired", { bytesCutOff: length - lastLine }],
        );
    }
  });
});

test("any changed byte, a line left out, doubled or moved is found where it is", async () => {
  await inFolder(async (folder, path) => {
    await fill(folder, 6);
    const whole = readFileSync(path);
    const random = createRandom(5);
    const { records } = await read(path);
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(whole);
      const at = random.below(bytes.length - 1);
      bytes[at] = bytes[at]! ^ (1 << random.below(8));
      writeFileSync(path, bytes);
      const found = await read(path);
      assert.notEqual(found.end, "whole", `byte ${at}`);
      const line = whole.subarray(0, at).toString().split("\n").length;
      assert.ok(found.records.length < line, `byte ${at}: ${found.records.length} records before it`);
    }
    const lines = whole.toString().trimEnd().split("\n");
    const changes = [
      lines.toSpliced(2, 1),
      lines.toSpliced(2, 0, lines[2]!),
      lines.with(1, lines[2]!).with(2, lines[1]!),
      lines.slice(1),
    ];
    for (const changed of changes) {
      writeFileSync(path, `${changed.join("\n")}\n`);
      assert.equal((await read(path)).end, "broken");
    }
    assert.equal(records.length, 6);
  });
});

test("a changed log is put aside whole, and the new one names it by its hash", async () => {
  await inFolder(async (folder, path) => {
    await fill(folder, 3);
    const changed = readFileSync(path, "utf8").replace('"n":1', '"n":7');
    writeFileSync(path, changed);
    await fill(folder, 1);
    const { records, end } = await read(path);
    assert.equal(end, "whole");
    assert.deepEqual(
      records.map(({ act }) => act),
      ["log.changed", "test.done"],
    );
    const aside = readdirSync(folder).find((name) => name.startsWith("operator-log.changed"));
    assert.equal(records[0]!.details["file"], aside);
    assert.equal(records[0]!.details["line"], 2);
    assert.equal(readFileSync(join(folder, aside!), "utf8"), changed);
  });
});

test("garbage without an end is not gathered in memory, and an act that is too long is kept as its hash", async () => {
  await inFolder(async (folder, path) => {
    await fill(folder, 1);
    appendFileSync(path, "x".repeat(300_000));
    assert.equal((await read(path)).end, "broken");
    rmSync(path);
    const log = await OperatorLog.open(folder, () => NOW);
    await log.append({
      act: "test.long",
      actor: "node",
      details: { text: "x".repeat(MAX_RECORD_LINE_BYTES) },
    });
    await log.close();
    const { records, end } = await read(path);
    assert.equal(end, "whole");
    assert.equal(records[0]!.details["tooLong"], true);
  });
});

test("a full disk: the reserve takes the first records, then acts are refused, and no record is lost or broken", async (context) => {
  await inFolder(async (folder, path) => {
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "ostrom-test", folder], {
      encoding: "utf8",
    });
    if (mounted.status !== 0) return context.skip(`mounting a tmpfs is not possible here: ${mounted.stderr}`);
    try {
      const log = await OperatorLog.open(folder, () => NOW);
      await log.append({ act: "test.first", actor: "node", details: {} });
      const filler = join(folder, "filler");
      for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
        for (;;) {
          try {
            appendFileSync(filler, Buffer.alloc(size));
          } catch {
            break;
          }
        }
      }
      const details = { text: "y".repeat(3_000) };
      let written = 1;
      let refused = 0;
      for (let n = 0; n < 60; n++) {
        await log.append({ act: "test.full", actor: "node", details }).then(
          () => written++,
          () => refused++,
        );
      }
      assert.ok(written > 10 && refused > 10, `${written} written, ${refused} refused`);
      rmSync(filler);
      await log.append({ act: "test.after", actor: "node", details: {} });
      await log.close();
      const { records, end } = await read(path);
      assert.deepEqual([records.length, end, records.at(-1)!.act], [written + 1, "whole", "test.after"]);
    } finally {
      spawnSync("umount", ["--lazy", folder]);
    }
  });
});
