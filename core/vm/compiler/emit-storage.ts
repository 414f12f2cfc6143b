import { GAS } from "../gas-schedule.ts";
import type { Instruction } from "../instruction.ts";
import { LIMB_BYTES, OPERANDS, SLOT } from "../runtime/memory-layout.ts";
import { chargeConstant, type Emission, pushLimb, pushWord, takeLimb } from "./emission.ts";
import { callHost, passWords } from "./emit-host.ts";
import { readLimb } from "./limb-operations.ts";
import { pop, push } from "./symbolic-stack.ts";
import type { Limb, Word } from "./word-value.ts";

/** SLOAD: from the table of slots that are known (runtime-storage.ts), else by the host. */
export function emitLoadSlot(emission: Emission, { opcode }: Instruction): void {
  const { code, locals, stack, runtime } = emission;
  const slot = pop(stack);
  for (const limb of slot) readLimb(emission, limb);
  const value: Limb[] = [];
  for (let limb = 0; limb < 4; limb++) {
    code.i64Const(0);
    value.push(takeLimb(emission));
  }
  const readValue = (pushAddress: () => void, at: number): void => {
    for (const [place, limb] of value.entries()) {
      pushAddress();
      code.i64Load(at + LIMB_BYTES * place).localSet(limb.local);
    }
  };
  code.localGet(locals.frame);
  pushWord(emission, slot);
  code.call(runtime.find("findSlot")).localTee(locals.address).if();
  chargeConstant(emission, GAS.warmAccess);
  readValue(() => code.localGet(locals.address), SLOT.value);
  code.else();
  passWords(emission, [slot]);
  callHost(emission, opcode);
  readValue(() => code.i32Const(0), OPERANDS);
  remember(emission, slot, value as unknown as Word);
  code.end();
  push(stack, value as unknown as Word);
}

/** SSTORE: by the host, and what it wrote is known then. */
export function emitStoreSlot(emission: Emission, { opcode }: Instruction): void {
  const slot = pop(emission.stack);
  const value = pop(emission.stack);
  passWords(emission, [slot, value]);
  callHost(emission, opcode);
  remember(emission, slot, value);
}

function remember(emission: Emission, slot: Word, value: Word): void {
  const { code, locals, runtime } = emission;
  code.localGet(locals.frame);
  for (const limb of [...slot, ...value]) pushLimb(emission, limb);
  code.call(runtime.find("rememberSlot"));
}
