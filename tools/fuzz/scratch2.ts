import { EVM_BOMBS, opcodeBombs } from "../../core/vm/engine/testing/hostile-evm.ts";
import { compileContract } from "../../core/vm/compiler/compile-contract.ts";
let worst = 0, total = 0;
for (const s of [...EVM_BOMBS, ...opcodeBombs()]) {
  const t = performance.now();
  const c = compileContract(s.code, "osaka");
  const ms = performance.now() - t; total += ms;
  const out = c.kind === "compiled" ? c.bytes.length : c.reason;
  const t2 = performance.now();
  if (c.kind === "compiled") new WebAssembly.Module(c.bytes as never);
  console.log(s.name, s.code.length, out, ms.toFixed(0), (performance.now() - t2).toFixed(0));
}
console.log(total);
