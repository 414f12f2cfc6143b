import assert from "node:assert/strict";
import { test } from "node:test";
import { allowedOutside, isDeterministic, mayImport, packageOf } from "./tidy-rules.ts";

test("a file's package: parts of modules are packages of their own, manifests together are one", () => {
  const packages = [
    ["core/vm/precompiles/x.ts", "core/vm"],
    ["modules/index.ts", "modules"],
    ["modules/staking/module.ts", "modules"],
    ["modules/staking/chain/index.ts", "modules/staking/chain"],
    ["modules/staking/chain/testing/x.ts", "modules/staking/chain"],
    ["modules/staking/service/x.ts", "modules/staking/service"],
    ["sdk/light/x.ts", "sdk"],
    ["sim/main.ts", "sim"],
  ];
  for (const [path = "", name = ""] of packages) assert.equal(packageOf(path), name, path);
});

test("the chain part of a module sees core alone; its service sees core, its own chain part, the runtime and the sdk", () => {
  const chain = "modules/staking/chain";
  const service = "modules/staking/service";
  const answers: readonly (readonly [from: string, to: string, may: boolean])[] = [
    [chain, "core/consensus", true],
    [chain, "node/runtime", false],
    [chain, "sdk", false],
    [chain, "modules/membership/chain", false],
    [service, "core/base", true],
    [service, chain, true],
    [service, "node/runtime", true],
    [service, "sdk", true],
    [service, "node/storage", false],
    [service, "modules/membership/chain", false],
    [service, "modules/membership/service", false],
    ["modules", "node/runtime", true],
    ["modules", chain, false],
    ["sdk", "core/execution", true],
    ["sdk", "node/rpc", false],
    ["node/runtime", "modules", false],
    ["node/runtime", chain, false],
    ["node/rpc", "node/runtime", false],
    ["core/execution", chain, false],
    ["core/state", "core/codec", true],
    ["core/codec", "core/state", false],
    ["sim", chain, true],
    ["sim", service, true],
    ["sim", "apps/cli", false],
    ["apps/cli", "modules", true],
  ];
  for (const [from, to, may] of answers) assert.equal(mayImport(from, to), may, `${from} -> ${to}`);
});

test("chain parts are deterministic as core is, and take nothing from outside; the sdk runs in browsers", () => {
  assert.ok(isDeterministic("modules/staking/chain"));
  assert.ok(!isDeterministic("modules/staking/service"));
  assert.ok(!allowedOutside("modules/staking/chain")?.test("viem"));
  assert.ok(allowedOutside("modules/staking/service")?.test("viem/accounts"));
  assert.ok(allowedOutside("sdk")?.test("viem"));
  assert.ok(!allowedOutside("sdk")?.test("node:fs"));
  assert.equal(allowedOutside("node/runtime"), undefined);
});
