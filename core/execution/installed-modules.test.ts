import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, hex, toHex } from "@ostrom/base";
import type { ChainModule } from "./chain-module.ts";
import { defineModule, installModules, moduleCodeHash } from "./installed-modules.ts";
import { counter, doubler, GATE, gate } from "./testing/test-modules.ts";
import { VALIDATOR_SET_ADDRESS } from "./validator-set.ts";

test("a module is found by its name, version and code hash together", () => {
  const { find, all } = installModules([counter(1), counter(2), gate()]);
  assert.equal(all.length, 3);
  const { name, version, codeHash } = counter(2);
  assert.equal(find({ name, version, codeHash })?.version, 2);
  assert.equal(find({ name, version: 1, codeHash }), undefined);
  assert.equal(find({ name: "gate", version, codeHash }), undefined);
  assert.equal(find({ name, version, codeHash: counter(1).codeHash }), undefined);
});

test("the code hash covers name, version, contracts and their places, and the places of precompiles", () => {
  const base: Parameters<typeof moduleCodeHash>[0] = {
    name: "a",
    version: 1,
    contracts: [{ address: GATE, code: hex("00") }],
    precompiles: doubler().precompiles,
  };
  const other = addressFromHex("00000000000000000000000000000000000000ff");
  const variants = [
    base,
    { ...base, name: "b" },
    { ...base, version: 256 },
    { ...base, contracts: [{ address: other, code: hex("00") }] },
    { ...base, contracts: [{ address: GATE, code: hex("01") }] },
    { ...base, contracts: [...base.contracts, ...base.contracts] },
    { ...base, precompiles: [] },
    { ...base, precompiles: [{ ...base.precompiles![0]!, address: other }] },
  ];
  assert.equal(new Set(variants.map((each) => toHex(moduleCodeHash(each)))).size, variants.length);
  assert.equal(
    toHex(moduleCodeHash(base)),
    "0x50aea991074e28f80887f1847378d9a8dc565f6b7c6632d086a4a38d0a6a5cc6",
    "state names modules by it: it must not change",
  );
});

test("a program whose modules contradict each other does not start", () => {
  const refused = (...modules: readonly ChainModule[]) => assert.throws(() => installModules(modules));
  refused(gate(), gate());
  refused({ ...gate(), codeHash: counter(1).codeHash });
  refused(defineModule({ ...gate(), name: "Gate" }));
  refused(defineModule({ ...gate(), name: "g".repeat(32) }));
  refused(defineModule({ ...gate(), version: 0 }));
  refused(defineModule({ ...gate(), version: 2 ** 32 }));
  refused(defineModule({ ...gate(), contracts: [{ address: GATE, code: new Uint8Array(24_577) }] }));
  refused(gate(), defineModule({ ...gate(), name: "other" }));
  refused(gate(), doubler({ precompiles: [{ ...doubler().precompiles![0]!, address: GATE }] }));
  const ethereum = addressFromHex("0000000000000000000000000000000000000001");
  refused(doubler({ precompiles: [{ ...doubler().precompiles![0]!, address: ethereum }] }));
  refused(defineModule({ ...gate(), contracts: [{ address: VALIDATOR_SET_ADDRESS, code: hex("00") }] }));
  assert.doesNotThrow(() => installModules([gate(1), gate(2)]), "versions of one module share addresses");
});
