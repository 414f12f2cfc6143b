import assert from "node:assert/strict";
import { test } from "node:test";
import { toEventSelector, toFunctionSelector } from "viem";
import { KNOWN_EVENTS, KNOWN_SELECTORS } from "./selectors.ts";

test("every well-known function and event stands under the hash of its signature", () => {
  for (const [selector, signature] of Object.entries(KNOWN_SELECTORS))
    assert.equal(toFunctionSelector(signature), selector, signature);
  for (const [topic, signature] of Object.entries(KNOWN_EVENTS))
    assert.equal(toEventSelector(signature), topic, signature);
});
