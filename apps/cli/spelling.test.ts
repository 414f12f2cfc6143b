import assert from "node:assert/strict";
import { test } from "node:test";
import { didYouMean, nearest } from "./spelling.ts";

const WORDS = ["up", "status", "send", "staking", "validators", "completion"];

test("a letter more, less, another, or two swapped: the word that is near", () => {
  assert.equal(nearest("statsu", WORDS), "status");
  assert.equal(nearest("stauts", WORDS), "status");
  assert.equal(nearest("sned", WORDS), "send");
  assert.equal(nearest("upp", WORDS), "up");
  assert.equal(nearest("validator", WORDS), "validators");
});

test("a beginning is near, whatever follows it", () => {
  assert.equal(nearest("comp", WORDS), "completion");
});

test("what is far from every word gets no advice", () => {
  assert.equal(nearest("frobnicate", WORDS), undefined);
  assert.equal(nearest("", WORDS), undefined);
  assert.equal(didYouMean("xyz", WORDS), "");
  assert.equal(didYouMean("prot", ["port"], "--"), "; did you mean --port?");
});
