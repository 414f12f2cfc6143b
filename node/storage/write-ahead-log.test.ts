import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type Bytes,
  bytesToUint64,
  concatBytes,
  createRandom,
  type Random,
  uint64ToBytes,
  utf8,
} from "@ostrom/base";
import { createDisk } from "./disk.ts";
import { createFaultyDisk, type FaultyDisk } from "./faulty-disk.ts";
import { MAX_RECORD_BYTES } from "./write-ahead-frame.ts";
import { type OpenedLog, openWriteAheadLog } from "./write-ahead-log.ts";

const SEGMENT = "log-0000000001.wal";
const bytesOf = (random: Random) => (length: number) => random.bytes(length);
const texts = (records: readonly Bytes[]): string[] =>
  records.map((record) => new TextDecoder().decode(record));

function open(disk: FaultyDisk, seed = 1): Promise<OpenedLog> {
  return openWriteAheadLog(disk.start(), bytesOf(createRandom(seed)));
}

/** A log of three frames, the middle one with two records. */
async function makeLog(): Promise<{
  readonly disk: FaultyDisk;
  readonly bytes: Bytes;
  readonly lastFrameAt: number;
}> {
  const disk = createFaultyDisk(createRandom(1));
  const { log } = await open(disk);
  log.append([utf8("first")]);
  await log.sync();
  log.append([utf8("second"), utf8("")]);
  await log.sync();
  const lastFrameAt = log.sizeBytes();
  log.append([utf8("the third and last")]);
  await log.sync();
  const bytes = disk.peek(SEGMENT);
  assert.ok(bytes !== undefined);
  assert.equal(bytes.length, log.sizeBytes());
  return { disk, bytes: bytes.slice(), lastFrameAt };
}

test("write-ahead log: what was synced is there when it is opened again, in order", async () => {
  const { disk } = await makeLog();
  disk.crash();
  const opened = await open(disk);
  assert.deepEqual(texts(opened.records), ["first", "second", "", "the third and last"]);
  assert.equal(opened.truncatedBytes, 0);
  assert.equal(opened.isNew, false);
});

test("write-ahead log: an empty folder makes a new log, and says so", async () => {
  const disk = createFaultyDisk(createRandom(1));
  const opened = await open(disk);
  assert.equal(opened.isNew, true);
  assert.deepEqual(opened.records, []);
  disk.crash();
  const again = await open(disk);
  assert.equal(again.isNew, false);
  assert.deepEqual(again.records, []);
});

test("write-ahead log: a last record cut at any byte is dropped, counted, and the log goes on", async () => {
  const { disk, bytes, lastFrameAt } = await makeLog();
  for (let length = lastFrameAt; length < bytes.length; length++) {
    disk.poke(SEGMENT, bytes.subarray(0, length));
    const opened = await open(disk);
    assert.deepEqual(texts(opened.records), ["first", "second", ""], `cut at ${length}`);
    assert.equal(opened.truncatedBytes, length - lastFrameAt);
    opened.log.append([utf8("after")]);
    await opened.log.sync();
    disk.crash();
    assert.deepEqual(texts((await open(disk)).records), ["first", "second", "", "after"]);
  }
});

test("write-ahead log: zeros or noise after the last record are cut off", async () => {
  const { disk, bytes } = await makeLog();
  for (const tail of [new Uint8Array(5_000), createRandom(3).bytes(5_000)]) {
    disk.poke(SEGMENT, concatBytes(bytes, tail));
    const opened = await open(disk);
    assert.deepEqual(texts(opened.records), ["first", "second", "", "the third and last"]);
    assert.equal(opened.truncatedBytes, tail.length);
  }
});

test("write-ahead log: any changed byte before the last record is storage/damaged, and nothing is repaired", async () => {
  const { disk, bytes, lastFrameAt } = await makeLog();
  for (let offset = 0; offset < lastFrameAt; offset++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const damaged = bytes.slice();
      damaged[offset] = damaged[offset]! ^ mask;
      disk.poke(SEGMENT, damaged);
      await assert.rejects(open(disk), { code: "storage/damaged" }, `byte ${offset} ^ ${mask}`);
      assert.deepEqual(disk.peek(SEGMENT), damaged);
    }
  }
});

test("write-ahead log: any changed byte of the last record drops it: it looks like a write that was cut off", async () => {
  const { disk, bytes, lastFrameAt } = await makeLog();
  for (let offset = lastFrameAt; offset < bytes.length; offset++) {
    const damaged = bytes.slice();
    damaged[offset] = damaged[offset]! ^ 0x40;
    disk.poke(SEGMENT, damaged);
    const opened = await open(disk);
    assert.deepEqual(texts(opened.records), ["first", "second", ""]);
    assert.equal(opened.truncatedBytes, bytes.length - lastFrameAt);
  }
});

test("write-ahead log: removed, repeated and exchanged records are noticed", async () => {
  const { disk, bytes, lastFrameAt } = await makeLog();
  const header = bytes.subarray(0, 40);
  const first = bytes.subarray(40, 40 + 12 + 4 + 5);
  const second = bytes.subarray(40 + first.length, lastFrameAt);
  const last = bytes.subarray(lastFrameAt);
  for (const parts of [
    [second, last],
    [first, last],
    [second, first, last],
    [first, first, second, last],
    [last],
  ]) {
    disk.poke(SEGMENT, concatBytes(header, ...parts));
    await assert.rejects(open(disk), { code: "storage/damaged" });
  }
});

test("write-ahead log: a first frame that is cut off is storage/damaged, because it was synced before it had its name", async () => {
  const { disk, bytes } = await makeLog();
  for (let length = 0; length < 40; length++) {
    disk.poke(SEGMENT, bytes.subarray(0, length));
    await assert.rejects(open(disk), { code: "storage/damaged" });
  }
});

test("write-ahead log: a record that holds the bytes of a frame of another log is not taken for one", async () => {
  const { bytes, lastFrameAt } = await makeLog();
  const disk = createFaultyDisk(createRandom(2));
  const { log } = await open(disk, 99);
  log.append([utf8("start")]);
  await log.sync();
  const keep = log.sizeBytes();
  log.append([bytes.subarray(lastFrameAt)]);
  await log.sync();
  const whole = disk.peek(SEGMENT)!;
  disk.poke(SEGMENT, whole.subarray(0, whole.length - 1));
  const opened = await open(disk);
  assert.deepEqual(texts(opened.records), ["start"]);
  assert.ok(opened.truncatedBytes > whole.length - keep - 2);
});

test("write-ahead log: an unknown version is refused by name", async () => {
  const { disk, bytes } = await makeLog();
  const { crc32 } = await import("node:zlib");
  const newer = bytes.slice();
  newer[11] = 2;
  new DataView(newer.buffer).setUint32(24, crc32(newer.subarray(0, 24)));
  disk.poke(SEGMENT, newer);
  await assert.rejects(open(disk), { code: "storage/unknown-version" });
});

test("write-ahead log: rotation replaces all that came before, and what is appended meanwhile follows", async () => {
  const { disk } = await makeLog();
  const { log } = await open(disk, 2);
  log.append([utf8("synced, then replaced")]);
  const synced = log.sync();
  log.append([utf8("never synced, replaced")]);
  const rotated = log.rotate([utf8("sum"), utf8("of all")]);
  log.append([utf8("later")]);
  const later = log.sync();
  await Promise.all([synced, rotated, later]);
  disk.crash();
  assert.deepEqual(texts((await open(disk)).records), ["sum", "of all", "later"]);
  assert.equal(disk.peek(SEGMENT), undefined);
  assert.ok(disk.peek("log-0000000002.wal") !== undefined);
});

test("write-ahead log: syncs that are asked for while one is under way become one", async () => {
  const inner = createFaultyDisk(createRandom(1)).start();
  let syncs = 0;
  const counting = {
    ...inner,
    create: async (name: string) => {
      const file = await inner.create(name);
      return {
        ...file,
        sync: async () => {
          syncs += 1;
          await file.sync();
        },
      };
    },
  };
  const { log } = await openWriteAheadLog(counting, bytesOf(createRandom(1)));
  syncs = 0;
  const all = Array.from({ length: 50 }, (_, index) => {
    log.append([uint64ToBytes(index)]);
    return log.sync();
  });
  await Promise.all(all);
  assert.equal(syncs, 2);
  await log.sync();
  assert.equal(syncs, 2);
});

test("write-ahead log: after a failed sync or append, everything fails, and the log on disk stays readable", async () => {
  for (const faults of [{ syncFailsOneIn: 1 }, { appendFailsOneIn: 1 }]) {
    const { disk } = await makeLog();
    const { log } = await open(disk);
    disk.setFaults(faults);
    const code = "syncFailsOneIn" in faults ? "storage/failed" : "storage/disk-full";
    log.append([utf8("lost")]);
    const [first, second] = [log.sync(), log.rotate([utf8("none")])];
    await assert.rejects(first, { code });
    await assert.rejects(second, { code });
    disk.setFaults({});
    log.append([utf8("more")]);
    await assert.rejects(log.sync(), { code });
    await assert.rejects(log.rotate([]), { code });
    await assert.rejects(log.close(), { code });
    const records = texts((await open(disk)).records);
    assert.deepEqual(records.slice(0, 4), ["first", "second", "", "the third and last"]);
  }
});

test("write-ahead log: a closed log refuses what comes after", async () => {
  const { disk } = await makeLog();
  const { log } = await open(disk);
  log.append([utf8("kept by closing")]);
  await log.close();
  await log.close();
  await assert.rejects(log.rotate([]), { code: "storage/closed" });
  assert.throws(() => log.append([utf8("too late")]));
  assert.equal(texts((await open(disk)).records).at(-1), "kept by closing");
});

test("write-ahead log: records beyond the limit are a broken invariant", async () => {
  const { log } = await open(createFaultyDisk(createRandom(1)));
  assert.throws(() => log.append([new Uint8Array(MAX_RECORD_BYTES + 1)]));
});

/** One node's life with crashes: whatever happens, what is read back is what was written, from the last rotation on,
 * cut off only after the last record that was synced. */
async function liveAndCrash(seed: number): Promise<string> {
  const random = createRandom(seed);
  const disk = createFaultyDisk(random);
  const history: string[] = [];
  let [next, synced, base] = [1, 0, 0];
  for (let life = 0; life < 6; life++) {
    const opened = await openWriteAheadLog(disk.start(), bytesOf(random));
    const numbers = opened.records.map((record) => bytesToUint64(record));
    const last = numbers.at(-1) ?? 0;
    assert.ok(last >= synced && last < next, `synced ${synced}, read ${last}, written ${next - 1}`);
    const first = numbers[0] ?? 1;
    assert.ok(first >= base, "a rotation that was done is not undone");
    assert.deepEqual(
      numbers,
      Array.from({ length: last - first + 1 }, (_, index) => first + index).slice(0, numbers.length),
    );
    history.push(`${first}-${last}/${opened.truncatedBytes}`);
    next = last + 1;
    [synced, base] = [last, first];
    const pending: Promise<void>[] = [];
    for (let step = random.below(12); step > 0; step--) {
      opened.log.append([uint64ToBytes(next)]);
      next += 1;
      const target = next - 1;
      const choice = random.below(4);
      if (choice === 0) continue;
      const work = choice === 1 ? opened.log.rotate([uint64ToBytes(target)]) : opened.log.sync();
      const noted = work.then(() => {
        synced = Math.max(synced, target);
        if (choice === 1) base = Math.max(base, target);
      });
      if (random.chance(1, 2)) await noted;
      else pending.push(noted);
    }
    disk.crash();
    await Promise.allSettled(pending);
  }
  return history.join(" ");
}

test("write-ahead log: nothing synced is lost in any of 300 histories of crashes; the same seed gives the same history", async () => {
  let truncations = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const history = await liveAndCrash(seed);
    if (/\/[1-9]/.test(history)) truncations += 1;
    if (seed % 50 === 0) assert.equal(await liveAndCrash(seed), history);
  }
  assert.ok(truncations > 10, `only ${truncations} histories had a torn tail`);
});

test("write-ahead log: on the machine's disk, a process killed at any moment loses nothing that it saw synced", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ostrom-log-"));
  const here = JSON.stringify(import.meta.dirname);
  const script = `
    const { createDisk } = await import(${here} + "/disk.ts");
    const { openWriteAheadLog } = await import(${here} + "/write-ahead-log.ts");
    const { uint64ToBytes } = await import("@ostrom/base");
    const { log } = await openWriteAheadLog(createDisk(process.argv[1]), (n) => crypto.getRandomValues(new Uint8Array(n)));
    for (let number = 1; ; number++) {
      log.append([uint64ToBytes(number)]);
      await (number % 20 === 0 ? log.rotate([uint64ToBytes(number)]) : log.sync());
      process.stdout.write(number + "\\n");
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, join(folder, "log")], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.length > 400) child.kill("SIGKILL");
    });
    child.on("close", () => resolve());
  });
  const seen = Number(output.trim().split("\n").at(-1));
  const opened = await openWriteAheadLog(createDisk(join(folder, "log")), bytesOf(createRandom(1)));
  const last = bytesToUint64(opened.records.at(-1)!);
  assert.ok(last >= seen && seen > 0, `saw ${seen}, read ${last}`);
  await opened.log.close();
  assert.equal((await stat(join(folder, "log"))).mode & 0o777, 0o700);
  await rm(folder, { recursive: true });
});
