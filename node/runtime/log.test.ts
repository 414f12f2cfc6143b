import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLog, type LogFormat, logOfThread } from "./log.ts";
import type { Log, LogLevel } from "./ports.ts";

function logged(
  logFormat: LogFormat,
  say: (log: Log) => void,
  logLevel: LogLevel = "info",
): readonly string[] {
  const lines: string[] = [];
  say(
    createLog(
      (line) => lines.push(line),
      "node-1",
      { logLevel, logFormat },
      () => 0,
    ),
  );
  return lines;
}

describe("the log", () => {
  test("an entry is one JSON object a line, with the same six fields each time", () => {
    const [line] = logged("json", (log) => log("warn", "something happened", { height: 5n, time: "mine" }));
    assert.deepEqual(JSON.parse(line!), {
      time: "1970-01-01T00:00:00.000Z",
      level: "warn",
      node: "node-1",
      thread: "main",
      message: "something happened",
      fields: { height: "5", time: "mine" },
    });
    assert.ok(line!.endsWith("\n"));
  });

  test("says which thread speaks", () => {
    const [line] = logged("json", (log) => {
      logOfThread(logOfThread(log, "json-rpc"), "queries")("info", "hello", { a: 1 });
    });
    const { thread, fields } = JSON.parse(line!) as { thread: string; fields: unknown };
    assert.deepEqual([thread, fields], ["queries", { a: 1 }]);
  });

  test("writes nothing below its level", () => {
    assert.equal(logged("json", (log) => log("info", "x"), "warn").length, 0);
    assert.equal(logged("text", (log) => log("error", "x"), "warn").length, 1);
  });

  test("text is one line, whatever a field holds", () => {
    const fields = { reason: 'two\nlines "quoted"', plain: "a-b", n: 3, none: undefined };
    const [line] = logged("text", (log) => log("info", "link down", fields));
    assert.equal(
      line,
      '1970-01-01T00:00:00.000Z INFO  node-1 link down reason="two\\nlines \\"quoted\\"" plain=a-b n=3\n',
    );
  });

  test("fields whose names say that they are secret are not written, in either format", () => {
    const fields = {
      secretKey: "s3cr3t",
      nested: { mnemonic: "s3cr3t" },
      passphrase: ["s3cr3t"],
      publicKey: "p",
    };
    for (const format of ["json", "text"] as const) {
      const [line] = logged(format, (log) => log("info", "x", fields));
      assert.doesNotMatch(line!, /s3cr3t/);
      assert.match(line!, /"?publicKey"?[:=]"?p/);
    }
  });

  test("what others have brought into a field is cut off", () => {
    const [line] = logged("json", (log) => log("info", "x", { reason: "y".repeat(1_000_000) }));
    assert.ok(line!.length < 5_000);
  });
});
