import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, utf8 } from "@ostrom/base";
import { encodeAbiParameters } from "viem";
import { revertReason } from "./revert-reason.ts";

const string = (text: string): string => encodeAbiParameters([{ type: "string" }], [text]).slice(2);

test("the reason of Error(string) and Panic(uint256) is read", () => {
  assert.equal(revertReason(hex(`0x08c379a0${string("not today, ß")}`)), "not today, ß");
  assert.equal(revertReason(hex(`0x08c379a0${string("")}`)), "");
  assert.equal(revertReason(hex(`0x4e487b71${"11".padStart(64, "0")}`)), "arithmetic underflow or overflow");
  assert.equal(revertReason(hex(`0x4e487b71${"99".padStart(64, "0")}`)), "unknown panic code: 0x99");
});

test("a reason whose padding is missing is read, as one contract of execution-apis' vectors sends it", () => {
  const unpadded = `08c379a0${"20".padStart(64, "0")}${"a".padStart(64, "0")}75736572206572726f72`;
  assert.equal(revertReason(hex(unpadded)), "user error");
});

test("custom errors and malformed reasons have none", () => {
  const word = (value: string): string => value.padStart(64, "f");
  for (const output of [
    "",
    "08c379a0",
    `deadbeef${string("x")}`,
    `08c379a0${word("")}`,
    `08c379a0${"20".padStart(64, "0")}${word("")}`,
    `08c379a0${"20".padStart(64, "0")}${"21".padStart(64, "0")}00`,
  ]) {
    assert.equal(revertReason(hex(output)), undefined, output);
  }
  assert.equal(revertReason(utf8("wrong-calldatasize")), undefined);
});
