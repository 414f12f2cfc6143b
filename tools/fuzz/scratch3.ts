import { WEBASSEMBLY_BOMBS } from "../../core/vm/engine/testing/hostile-webassembly.ts";
import { RISCV_BOMBS } from "../../core/vm/engine/testing/hostile-riscv.ts";
import { readContract } from "../../core/vm/webassembly/read-contract.ts";
import { meterContract } from "../../core/vm/webassembly/meter-contract.ts";
import { readElf } from "../../core/vm/riscv/elf.ts";
import { emitProgram } from "../../core/vm/riscv/compile-program.ts";
const bytes = Number(process.argv[2]);
const only = process.argv[3];
for (const s of WEBASSEMBLY_BOMBS) {
  if (only === "riscv") break;
  const b = s.make(bytes);
  const t = performance.now();
  const c = readContract(b);
  const t1 = performance.now();
  if (!c.ok) { console.log("W", s.name, b.length, c.error, (t1 - t).toFixed(0)); continue; }
  const m = meterContract(c.value); const t2 = performance.now();
  let v8 = "ok"; try { new WebAssembly.Module(m as never); } catch (e) { v8 = String(e); }
  console.log("W", s.name, b.length, m.length, (m.length / b.length).toFixed(1), "read", (t1 - t).toFixed(0), "meter", (t2 - t1).toFixed(0), "v8", (performance.now() - t2).toFixed(0), v8);
}
for (const s of RISCV_BOMBS) {
  if (only === "wasm") break;
  const b = s.make(bytes);
  const t = performance.now();
  const c = readElf(b);
  if (!c.ok) { console.log("R", s.name, c.error); continue; }
  const e = emitProgram(c.value); const t2 = performance.now();
  let v8 = "ok"; try { if (e) new WebAssembly.Module(e.bytes as never); } catch (x) { v8 = String(x); }
  console.log("R", s.name, b.length, e?.bytes.length, ((e?.bytes.length ?? 0) / b.length).toFixed(1), "emit", (t2 - t).toFixed(0), "v8", (performance.now() - t2).toFixed(0), v8, "entries", e?.entries.size);
}
