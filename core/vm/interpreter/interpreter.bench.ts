// node core/vm/interpreter/interpreter.bench.ts: how long it takes to make the interpreter, to make 24 KB of code ready,
// and to run each instruction that needs no host, one JSON line each.
import { type Bytes, createRandom } from "@ostrom/base";
import { MAX_CODE_SIZE } from "../gas-schedule.ts";
import { describeOpcode, instructionsOf } from "../instruction-set.ts";
import { OP } from "../opcodes.ts";
import { STATUS } from "../runtime/exit-status.ts";
import { frameAddress, HEAP } from "../runtime/memory-layout.ts";
import { dataSize } from "./sequences.ts";
import { createLoneInterpreter, type LoneInterpreter, runFrame } from "./testing/run-frame.ts";

const RUNS = 200;
const GAS = 2n ** 40n;

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** The fastest of some runs, in microseconds. */
function fastest(run: () => void, runs = RUNS): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, (performance.now() - start) * 1000);
  }
  return best;
}

function benchLoading({ codeArea }: LoneInterpreter): void {
  const random = createRandom(1);
  const codes: readonly (readonly [string, () => Bytes])[] = [
    ["zeros", () => new Uint8Array(MAX_CODE_SIZE)],
    ["JUMPDEST", () => new Uint8Array(MAX_CODE_SIZE).fill(OP.JUMPDEST)],
    ["PUSH32", () => new Uint8Array(MAX_CODE_SIZE).fill(OP.PUSH32)],
    ["PUSH1", () => new Uint8Array(MAX_CODE_SIZE).fill(OP.PUSH0 + 1)],
    ["DUP1", () => new Uint8Array(MAX_CODE_SIZE).fill(OP.DUP1)],
    ["invalid", () => new Uint8Array(MAX_CODE_SIZE).fill(0x0c)],
    ["random", () => random.bytes(MAX_CODE_SIZE)],
  ];
  for (const [name, make] of codes) {
    const prepared = Array.from({ length: RUNS }, make);
    let next = 0;
    const us = fastest(() => {
      codeArea.beginMessage();
      codeArea.attach(frameAddress(0), prepared[next++]!, "osaka", HEAP);
    });
    tell({ name: `load 24 KB of ${name}`, us: Number(us.toFixed(1)) });
  }
}

const REPEATED = 2000;
const POP_GAS = 2;

/** An instruction many times, on operands that are pushed anew each time, and the pushing and popping alone. */
function programOf(opcode: number, pops: number, pushes: number): readonly [Bytes, Bytes] {
  const words: readonly Bytes[] = [
    Uint8Array.of(OP.PUSH0 + 1, 0x07),
    Uint8Array.of(OP.PUSH32, ...new Uint8Array(32).fill(0xa5)),
    Uint8Array.of(OP.PUSH0 + 16, ...new Uint8Array(16).fill(0xd3)),
  ];
  const smallOnly = opcode >= OP.KECCAK256 && opcode <= 0x5e;
  const operands = Array.from({ length: pops }, (_, i) => words[smallOnly ? 0 : (pops - 1 - i) % 3]!);
  const code: number[] = [];
  const without: number[] = [];
  for (let i = 0; i < REPEATED; i++) {
    for (const operand of operands) {
      code.push(...operand);
      without.push(...operand);
    }
    code.push(opcode, ...new Array<number>(dataSize(opcode)).fill(1));
    for (let left = 0; left < pushes; left++) code.push(OP.POP);
    for (let left = 0; left < pops; left++) without.push(OP.POP);
  }
  return [Uint8Array.from(code), Uint8Array.from(without)];
}

/** These need a host, or end the program. */
const LEFT_OUT: ReadonlySet<string> = new Set(
  (
    "STOP JUMP JUMPI RETURN REVERT INVALID SELFDESTRUCT SLOAD SSTORE TLOAD TSTORE BALANCE SELFBALANCE BLOCKHASH BLOBHASH " +
    "EXTCODESIZE EXTCODECOPY EXTCODEHASH RETURNDATACOPY LOG0 LOG1 LOG2 LOG3 LOG4 CREATE CREATE2 CALL CALLCODE " +
    "DELEGATECALL STATICCALL"
  ).split(" "),
);

function benchInstructions(lone: LoneInterpreter): void {
  for (const instruction of instructionsOf("osaka")) {
    if (instruction === undefined || LEFT_OUT.has(instruction.name)) continue;
    const { opcode, pops, pushes } = instruction;
    const [code, without] = programOf(opcode, pops, pushes);
    const { status, gasLeft } = runFrame(lone, code, GAS);
    if (status !== STATUS.stop) throw new Error(`${describeOpcode(opcode)} ended with status ${status}`);
    const base = runFrame(lone, without, GAS).gasLeft;
    const us =
      fastest(() => void runFrame(lone, code, GAS)) - fastest(() => void runFrame(lone, without, GAS));
    tell({
      name: describeOpcode(opcode),
      ns: Number(((us * 1000) / REPEATED).toFixed(1)),
      gas: Number(base - gasLeft) / REPEATED + POP_GAS * (pops - pushes),
    });
  }
}

const start = performance.now();
const lone = createLoneInterpreter();
tell({ name: "create", us: Math.round((performance.now() - start) * 1000) });
await new Promise((resolve) => setTimeout(resolve, 500));
benchLoading(lone);
benchInstructions(lone);
