import { GAS } from "../gas-schedule.ts";
import type { Instruction } from "../instruction.ts";
import { LIMB_BYTES, SLOT } from "../runtime/memory-layout.ts";
import { type ColdFunction, callCold } from "./cold-function.ts";
import { callHost, passOperands, takeResult } from "./emit-host.ts";
import { type Loop, pushWord, storeLimb } from "./interpreter-loop.ts";

/** SLOAD: from the table of slots that are known (runtime-storage.ts), else by the host. */
export function emitLoadSlot(loop: Loop, { opcode, pops }: Instruction): void {
  callCold(loop, (cold) => {
    const { code, locals } = cold;
    code.localGet(locals.frame);
    pushWord(cold, 0).call(cold.find("findSlot")).localTee(locals.address).if();
    code.localGet(locals.gas).i64Const(GAS.warmAccess).i64Sub().localSet(locals.gas);
    for (let limb = 0; limb < 4; limb++) {
      storeLimb(cold, 0, limb, () => code.localGet(locals.address).i64Load(SLOT.value + LIMB_BYTES * limb));
    }
    code.else();
    passOperands(cold, opcode, pops);
    callHost(cold, opcode);
    // The slot's number is on WebAssembly's stack when the value takes its place.
    code.localGet(locals.frame);
    pushWord(cold, 0);
    takeResult(cold, 0);
    pushWord(cold, 0).call(cold.find("rememberSlot"));
    code.end();
  });
}

/** SSTORE: in the table too, where it tells all that is needed, else by the host, and what it wrote is known then. */
export function emitStoreSlot(loop: Loop, { opcode, pops }: Instruction): void {
  callCold(loop, (cold) => {
    const { code, locals } = cold;
    code.localGet(locals.frame).localGet(locals.gas);
    pushWord(cold, 0);
    pushWord(cold, 1).call(cold.find("storeSlot")).localTee(locals.word).i64Const(0).i64LtS().if();
    passOperands(cold, opcode, pops);
    callHost(cold, opcode);
    remember(cold);
    code.else().localGet(locals.word).localSet(locals.gas).end();
  });
}

function remember(cold: ColdFunction): void {
  const { code, locals } = cold;
  code.localGet(locals.frame);
  pushWord(cold, 0);
  pushWord(cold, 1).call(cold.find("rememberSlot"));
}
