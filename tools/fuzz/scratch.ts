import { hostileAddress, observeCase, MOST_GAS, REFERENCE, type HostileCase } from "../../core/vm/engine/testing/hostile-case.ts";
import { createContractEngine } from "@ostrom/vm";
import { assemble } from "../../core/vm/testing/assemble.ts";
import { addressToWord, EMPTY_BYTES, type Bytes, concatBytes } from "@ostrom/base";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { contractModule } from "../../core/vm/webassembly/testing/contract-module.ts";
import { contractCode } from "../../core/vm/webassembly/testing/run-contract.ts";
import { programFile, elfFile } from "../../core/vm/riscv/testing/elf-file.ts";
import { I32, I64 } from "@ostrom/wasm";
installNativeCrypto();
const A = hostileAddress(1), B = hostileAddress(2);
const which = process.argv[2]!;
const gas = BigInt(process.argv[4] ?? MOST_GAS);
function go(c: HostileCase, engines = ["tier0", "mixed"]) {
  for (const t of engines) {
    const e = t === "reference" ? undefined : createContractEngine({ tiers: t as never });
    e?.warmUp();
    for (let i = 0; i < 2; i++) {
    const s = performance.now();
    const o = observeCase(e?.execute ?? REFERENCE, c);
    const ms = performance.now() - s;
    console.log(c.name, t, o.status, o.gasLeft, o.output.slice(0, 140), `${ms.toFixed(0)} ms`, `${(ms * 1e3 / Number(c.gas)).toFixed(3)} us/gas`, `${(process.memoryUsage().rss / 1e6).toFixed(0)} MB rss`, JSON.stringify(e?.counts.frames), e?.counts.nodeFaults, e?.counts.referenceMessages);
    }
  }
}
// loop forever: body
const loop = (pre: (string|bigint)[], ...body: (string | bigint)[]) => { const p = assemble(...pre); return concatBytes(p, assemble("JUMPDEST", ...body, BigInt(p.length), "JUMP")); };
const cases: Record<string, () => HostileCase> = {
  locals: () => ({ name: "locals", gas, contracts: [[A, contractCode(contractModule([], (c) => { const l = c.loop(); c.i32Const(0).call(0).drop().br(l).end().i32Const(0); }, { minimum: 1, maximum: 64 }, ({ builder }) => { const f = builder.declareFunction(builder.type([I32], [I32])); builder.define(f, (c) => { const first = c.locals(I64, 990); c.localGet(0).if(); for (let i = 0; i < 990; i++) c.localGet(first+i).i64Const(3).i64Add().localSet(first+i).i32Const(0).localGet(first+i).i64Store(); c.end().localGet(0); }); }))]] }),
  many: () => ({ name: "many", gas, contracts: [[A, contractCode(contractModule([], (c) => { for (let i = 0; i < 3000; i++) c.i32Const(0).call(i).drop(); c.i32Const(0); }, { minimum: 1, maximum: 64 }, ({ builder }) => { for (let k = 0; k < 3000; k++) { const f = builder.declareFunction(builder.type([I32], [I32])); builder.define(f, (c) => { c.locals(I64, 990); c.localGet(0); }); } }))]] }),

  // CALL with 1 MB of input to a contract that stops
  bigInput: () => ({ name: "bigInput", gas, contracts: [[A, loop([0n, BigInt(2**20), "MSTORE"], 0n, 0n, BigInt(2**20), 0n, addressToWord(B), "GAS", "STATICCALL", "POP")], [B, assemble("STOP")]] }),
  bigInputNobody: () => ({ name: "bigInputNobody", gas, contracts: [[A, loop([0n, BigInt(2**20), "MSTORE"], 0n, 0n, BigInt(2**20), 0n, 0x1234567n, "GAS", "STATICCALL", "POP")]] }),
  growWasm: () => ({ name: "growWasm", gas, contracts: [[A, loop([], 0n, 0n, 0n, 0n, addressToWord(B), "GAS", "STATICCALL", "POP")], [B, contractCode(contractModule([], (c) => { c.i32Const(1).memoryGrow().drop().i32Const(0); }, { minimum: 1, maximum: 64 }))]] }),
  growWasm64: () => ({ name: "growWasm64", gas, contracts: [[A, loop([], 0n, 0n, 0n, 0n, addressToWord(B), "GAS", "STATICCALL", "POP")], [B, contractCode(contractModule([], (c) => { c.i32Const(63).memoryGrow().drop().i32Const(0).i32Const(1).i32Const(4194304).memoryFill().i32Const(0); }, { minimum: 1, maximum: 64 }))]] }),
  growWasmTable: () => ({ name: "growWasmTable", gas, contracts: [[A, loop([], 0n, 0n, 0n, 0n, addressToWord(B), "GAS", "STATICCALL", "POP")], [B, contractCode(contractModule([], (c) => { c.i32Const(1).memoryGrow().drop().i32Const(0); }, { minimum: 1, maximum: 64 }, ({ builder }) => { const t = builder.type([], []); const f = builder.function(t, () => {}); builder.table({ minimum: 10000, maximum: 10000 }); builder.elements(0, Array.from({ length: 9000 }, () => f)); }))]] }),
  manyCodes: () => { const n = Number(process.argv[5] ?? 300); const contracts: [any, Bytes][] = Array.from({ length: n }, (_, i) => { const c = new Uint8Array(24576).fill(0x5b); c[0] = 0; c[1] = i; c[2]= i>>8; return [hostileAddress(i + 10), c]; });
    const base = addressToWord(hostileAddress(10));
    // counter at top
    const code = concatBytes(assemble(0n), assemble("JUMPDEST", 0n, 0n, 0n, 0n, "DUP5", base, "ADD", "GAS", "STATICCALL", "POP", 1n, "ADD", BigInt(n), "SWAP1", "MOD", 1n, "JUMP"));
    return { name: "manyCodes", gas, contracts: [[A, code], ...contracts] }; },
};
go(cases[which]!(), process.argv[3]?.split(","));
