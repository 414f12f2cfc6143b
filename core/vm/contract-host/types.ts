import type { Bytes } from "@ostrom/base";
import type { Frame, Machine } from "../frame.ts";
import type { Outcome } from "../types.ts";

/** What code is. Code that begins with 0xEF 0x0A is of one of the other kinds (EIP-3541 keeps 0xEF free for such things):
 *
 * ```
 * deployed code    EF 0A kind payload
 * init code        EF 0A kind length(4 bytes, big-endian) payload constructor-input
 * ```
 *
 * A chunk is data that cannot be called. A manifest's payload is a list of addresses of chunks (20 bytes each), whose data, one
 * after the other, is the program: so a program may be larger than what one transaction can pay for. */
export type CodeKind = "evm" | ProgramKind | "chunk";
export type ProgramKind = "webassembly" | "riscv";

export const CODE_PREFIX = [0xef, 0x0a] as const;
export const KIND_BYTE = {
  chunk: 0x00,
  webassembly: 0x01,
  riscv: 0x02,
  webassemblyManifest: 0x81,
  riscvManifest: 0x82,
} as const;

/** A contract in WebAssembly or RISC-V: a module or an ELF file, chunks put together. One object for one code object, for
 * as long as it is kept (programs.ts): whoever prepares it keeps what it made by this object. */
export type Program = {
  readonly kind: ProgramKind;
  readonly bytes: Bytes;
};

/** The program's own memory, as host calls see it. */
export type ProgramMemory = {
  /** A copy or a view (read it before anything else runs), or undefined if it is not all inside the memory. */
  readonly read: (from: number, size: number) => Bytes | undefined;
  /** False, and nothing written, if it is not all inside the memory. */
  readonly write: (to: number, bytes: Bytes) => boolean;
};

/** Operands as they cross the border: i32 as a number (signed or not), i64 as a bigint (signed or not). */
export type HostOperands = readonly (number | bigint)[];

/** Runs a host call for a frame. It charges `frame`'s gas (the runner has put it there, and takes it back after) and
 * returns the result (0 if there is none). Then the runner looks at `frame.exit`:
 * undefined: go on with the result; a halt: the frame has ended (exit, out of gas, trap); `enter`: run the child, then go on
 * with what `finishHostCall(frame, memory, outcome)` returns. */
export type RunHostCall = (
  machine: Machine,
  frame: Frame,
  memory: ProgramMemory,
  number: number,
  operands: HostOperands,
) => number | bigint;

/** Runs programs fast, on V8's stack: a child runs inside its caller. Sets `frame.exit` to a halt.
 * Throws NodeFault for what is not a result of the program (out of V8's stack or memory). */
export type ProgramRunner = (
  machine: Machine,
  frame: Frame,
  program: Program,
  runChild: (child: Frame) => Outcome,
) => void;

/** Runs programs plainly: the oracle. Returns when `frame.exit` is set, to a halt or to a child that has to run first; is
 * called again when the child's outcome is known. Keeps its own state of a frame that waits. */
export type ReferenceRunner = (machine: Machine, frame: Frame, program: Program) => void;

/** A program's meaning, for both: what runs on deployment (frame.kind "create") and on a call. Exported functions `deploy` and
 * `call`, () -> EXIT_STATUS, in WebAssembly; the ELF's entry with a0 = 1 or 0 in RISC-V, which ends by `exit`. */
export type ProgramEntry = "call" | "deploy";

/** Whether a program may be deployed, decided by its bytes alone. */
export type ProgramVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** What the engine has to know of a kind. */
export type ProgramKindRules = {
  readonly validate: (bytes: Bytes) => ProgramVerdict;
  readonly runInReference: ReferenceRunner;
};

export type ProgramKinds = Readonly<Record<ProgramKind, ProgramKindRules>>;
