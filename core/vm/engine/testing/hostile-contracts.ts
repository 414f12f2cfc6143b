import { type Bytes, concatBytes } from "@ostrom/base";
import { I32 } from "@ostrom/wasm";
import { HOST_CALLS, type HostCallName } from "../../contract-host/host-calls.ts";
import { roleCode, type TestKind } from "../../contract-host/testing/roles.ts";
import { CODE_PREFIX, KIND_BYTE } from "../../contract-host/types.ts";
import { A0, A7, RA, SP } from "../../riscv/instruction.ts";
import { elfFile, TEXT_ADDRESS } from "../../riscv/testing/elf-file.ts";
import { ProgramWriter } from "../../riscv/testing/program-writer.ts";
import { assemble } from "../../testing/assemble.ts";
import { contractModule } from "../../webassembly/testing/contract-module.ts";
import { contractCode } from "../../webassembly/testing/run-contract.ts";

/** Contracts of all kinds that go to the ends of stacks, of memory, and of gas. */

const INPUT = 4096;
const ZEROS = 8192;
const ADDRESS_BYTES = 20;
const THREE_ADDRESSES = 3 * ADDRESS_BYTES;
/** Calls of itself that a module's function makes before it calls another contract: next to the static stack's limit. */
const NATIVE_DEPTH = 570;
/** As far as a RISC-V program's stack reaches. */
const STACK_DEPTH = 3000;

function call(writer: ProgramWriter, name: HostCallName): void {
  writer.add("addi", { rd: A7, immediate: HOST_CALLS.find((host) => host.name === name)!.number });
  writer.add("ecall");
}

function riscvCode(text: Bytes): Bytes {
  const file = elfFile(TEXT_ADDRESS, [{ address: TEXT_ADDRESS, bytes: text, flags: 5 }]);
  return concatBytes(Uint8Array.of(...CODE_PREFIX, KIND_BYTE.riscv), file);
}

/** Contracts that call the first of three addresses in their input with the other two and that one: so they go round. Programs
 * first call themselves inside, and now and then once more than they may when the other has returned. */
export function roundCode(kind: TestKind, trapsAfter: boolean): Bytes {
  if (kind === "evm") {
    return assemble(
      ...[60n, 0n, 0n, "CALLDATACOPY", 20n, 0n, 60n, "CALLDATACOPY", 0n, 0n, 60n, 20n, 0n],
      ...[
        0n,
        "MLOAD",
        96n,
        "SHR",
        "GAS",
        "CALL",
        0n,
        "SLOAD",
        "ADD",
        0n,
        "SSTORE",
        ...(trapsAfter ? ["INVALID"] : []),
      ],
    );
  }
  return kind === "webassembly" ? roundModule(trapsAfter) : roundFile(trapsAfter);
}

function roundModule(trapsAfter: boolean): Bytes {
  let recurse = 0;
  return contractCode(
    contractModule(
      ["input_copy", "call"],
      (code, { host }) => {
        code.i32Const(INPUT).i32Const(0).i32Const(THREE_ADDRESSES).call(host.input_copy);
        code
          .i32Const(INPUT + THREE_ADDRESSES)
          .i32Const(0)
          .i32Const(ADDRESS_BYTES)
          .call(host.input_copy);
        code.i32Const(NATIVE_DEPTH).call(recurse).drop();
        if (trapsAfter) code.i32Const(100_000).call(recurse).drop();
        code.i32Const(0);
      },
      { minimum: 1, maximum: 1 },
      ({ builder, host }) => {
        recurse = builder.declareFunction(builder.type([I32], [I32]));
        builder.define(recurse, (code) => {
          code.localGet(0).i32Eqz().if(I32);
          code
            .i64Const(-1)
            .i32Const(INPUT)
            .i32Const(ZEROS)
            .i32Const(INPUT + ADDRESS_BYTES);
          code.i32Const(THREE_ADDRESSES).call(host.call).else();
          code.localGet(0).localGet(0).i32Const(1).i32Sub().call(recurse).i32Add().end();
        });
      },
    ),
  );
}

function roundFile(trapsAfter: boolean): Bytes {
  const writer = new ProgramWriter();
  const copy = (to: number, size: number): void => {
    writer.constant(A0, to);
    writer.add("addi", { rd: A0 + 1 });
    writer.add("addi", { rd: A0 + 2, immediate: size });
    call(writer, "input_copy");
  };
  copy(INPUT, THREE_ADDRESSES);
  copy(INPUT + THREE_ADDRESSES, ADDRESS_BYTES);
  writer.constant(5, STACK_DEPTH);
  writer.to("jal", "recurse", { rd: RA });
  if (trapsAfter) {
    writer.constant(5, 1_000_000);
    writer.to("jal", "recurse", { rd: RA });
  }
  writer.add("addi", { rd: A0 });
  call(writer, "exit");
  writer.label("recurse");
  writer.to("beq", "bottom", { rs1: 5 });
  writer.add("addi", { rd: SP, rs1: SP, immediate: -16 });
  writer.add("sd", { rs1: SP, rs2: RA });
  writer.add("addi", { rd: 5, rs1: 5, immediate: -1 });
  writer.to("jal", "recurse", { rd: RA });
  writer.add("ld", { rd: RA, rs1: SP });
  writer.add("addi", { rd: SP, rs1: SP, immediate: 16 });
  writer.add("jalr", { rs1: RA });
  writer.label("bottom");
  writer.add("addi", { rd: A0, immediate: -1 });
  for (const [index, operand] of [INPUT, ZEROS, INPUT + ADDRESS_BYTES, THREE_ADDRESSES].entries()) {
    writer.constant(A0 + 1 + index, operand);
  }
  call(writer, "call");
  writer.add("jalr", { rs1: RA });
  return riscvCode(writer.text());
}

/** Calls itself when it has taken all the memory that it can. */
export function hoarder(kind: TestKind): Bytes {
  // Words beyond what gas pays linearly for, so that every frame has some; then the call.
  if (kind === "evm") return assemble(1n, 20_000n, "MSTORE", 0n, 0n, 0n, 0n, 0n, "ADDRESS", "GAS", "CALL");
  if (kind === "webassembly") {
    return contractCode(
      contractModule(
        ["address", "call"],
        (code, { host }) => {
          code.i32Const(0).call(host.address);
          code.i32Const(63).memoryGrow().drop();
          code.i32Const(100).i32Const(165).i32Const(4_000_000).memoryFill();
          code
            .i64Const(-1)
            .i32Const(0)
            .i32Const(32)
            .i32Const(0)
            .i32Const(0)
            .call(host.call)
            .drop()
            .i32Const(0);
        },
        { minimum: 1, maximum: 64 },
      ),
    );
  }
  const writer = new ProgramWriter();
  writer.constant(A0, 62);
  call(writer, "memory_grow");
  writer.constant(A0, INPUT);
  call(writer, "address");
  writer.constant(5, 0x3f_0000);
  writer.add("sd", { rs1: 5, rs2: 5 });
  writer.add("addi", { rd: A0, immediate: -1 });
  for (const [index, operand] of [INPUT, ZEROS, 0, 0].entries()) writer.constant(A0 + 1 + index, operand);
  call(writer, "call");
  writer.add("addi", { rd: A0 });
  call(writer, "exit");
  return riscvCode(writer.text());
}

/** Goes on for ever. */
export function endlessCode(kind: TestKind): Bytes {
  return roleCode("burn", kind);
}

/** A module without end that can be deployed: its constructor has one. */
export function endlessModule(): Bytes {
  return contractCode(
    contractModule([], (code) => {
      const loop = code.loop();
      code.br(loop).end().i32Const(0);
    }),
  );
}

/** A RISC-V program that calls the address that its input begins with, with the rest of it.
 * @param padding bytes of text that nobody reaches. */
export function forwardingFile(padding: number): Bytes {
  const writer = new ProgramWriter();
  call(writer, "input_size");
  writer.add("addi", { rd: 18, rs1: A0 });
  writer.constant(A0, INPUT);
  writer.add("addi", { rd: A0 + 1 });
  writer.add("addi", { rd: A0 + 2, rs1: 18 });
  call(writer, "input_copy");
  writer.add("addi", { rd: A0, immediate: -1 });
  for (const [index, operand] of [INPUT, ZEROS, INPUT + ADDRESS_BYTES].entries())
    writer.constant(A0 + 1 + index, operand);
  writer.add("addi", { rd: A0 + 4, rs1: 18, immediate: -ADDRESS_BYTES });
  writer.to("beq", "end", { rs1: 18 });
  call(writer, "call");
  writer.label("end");
  writer.add("addi", { rd: A0 });
  call(writer, "exit");
  const text = concatBytes(writer.text(), new Uint8Array(padding));
  return elfFile(TEXT_ADDRESS, [{ address: TEXT_ADDRESS, bytes: text, flags: 5 }]);
}
