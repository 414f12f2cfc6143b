/** A step as geth's struct logger answers it, as far as gas is concerned. */
export type StructLog = {
  readonly pc: number;
  readonly op: string;
  readonly gas: number;
  readonly gasCost: number;
  readonly depth: number;
};

/** What one kind of instruction cost in all. */
export type OpcodeGas = { readonly op: string; readonly count: number; readonly gas: number };

/** Adds up gas by instruction, most first. A call's own cost is without what the called code used: that stands under its instructions. */
export function gasByOpcode(steps: readonly StructLog[]): readonly OpcodeGas[] {
  const sums = new Map<string, { count: number; gas: number }>();
  for (const [index, step] of steps.entries()) {
    const sum = sums.get(step.op) ?? { count: 0, gas: 0 };
    sum.count++;
    sum.gas += ownCost(steps, index);
    sums.set(step.op, sum);
  }
  return [...sums].map(([op, { count, gas }]) => ({ op, count, gas })).sort((a, b) => b.gas - a.gas);
}

/** A call's or a creation's cost in the log has the gas that it passes on; what came back and what was used there are taken off. */
function ownCost(steps: readonly StructLog[], index: number): number {
  const step = steps[index] as StructLog;
  const next = steps[index + 1];
  if (next === undefined || next.depth <= step.depth) return step.gasCost;
  // The called code's first step tells what it got, beyond a stipend that nobody paid for.
  return Math.max(0, step.gasCost - next.gas);
}
