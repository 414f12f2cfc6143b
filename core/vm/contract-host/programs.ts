import { type Address, type Bytes, concatBytes, err, ok, type Result } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import { isProgramCode, readCode } from "./code-format.ts";
import type { Program, ProgramKinds } from "./types.ts";

/** What code is when its chunks are put together. */
type Assembled = {
  /** The code objects of the chunks: others make another program. Empty if there are none. */
  readonly chunks: readonly Bytes[];
  readonly program: Program;
  /** Of the program; undefined: nobody has asked yet. */
  validity: Result<Program, string> | undefined;
};

// By the code object, as code analyses are (code-analysis.ts). A manifest's chunks may be others in another state, so they
// are compared each time.
const known = new WeakMap<Bytes, Assembled>();

/** The addresses of the chunks that code names, if it is a manifest. */
export function chunksOf(code: Bytes): readonly Address[] {
  const content = readCode(code);
  return content.ok && content.value.form === "manifest" ? content.value.chunks : [];
}

/** The program that code is, which may be invalid.
 * @param code has the prefix; the same object whenever the code is the same, or the program is prepared again each time.
 * Errors: why it is no program, for people. */
export function assembleProgram(state: JournaledState, code: Bytes): Result<Program, string> {
  const found = assemble(state, code);
  return found.ok ? ok(found.value.program) : found;
}

/** As `assembleProgram`, and the program is valid. */
export function validProgram(
  kinds: ProgramKinds,
  state: JournaledState,
  code: Bytes,
): Result<Program, string> {
  const found = assemble(state, code);
  if (!found.ok) return found;
  found.value.validity ??= validate(kinds, found.value.program);
  return found.value.validity;
}

function validate(kinds: ProgramKinds, program: Program): Result<Program, string> {
  const verdict = kinds[program.kind].validate(program.bytes);
  return verdict.ok ? ok(program) : err(verdict.reason);
}

function assemble(state: JournaledState, code: Bytes): Result<Assembled, string> {
  const before = known.get(code);
  if (before?.chunks.length === 0) return ok(before);
  const content = readCode(code);
  if (!content.ok) return content;
  switch (content.value.form) {
    case "chunk":
      return err("a chunk is no program");
    case "program": {
      const { kind, bytes } = content.value;
      return ok(remember(code, { chunks: [], program: { kind, bytes }, validity: undefined }));
    }
    case "manifest": {
      const chunks = content.value.chunks.map((address) => state.code(address));
      if (before !== undefined && isSame(before.chunks, chunks)) return ok(before);
      const bytes = joinChunks(chunks);
      if (!bytes.ok) return bytes;
      const program: Program = { kind: content.value.kind, bytes: bytes.value };
      return ok(remember(code, { chunks, program, validity: undefined }));
    }
    default:
      return content.value satisfies never;
  }
}

function remember(code: Bytes, made: Assembled): Assembled {
  known.set(code, made);
  return made;
}

function isSame(a: readonly Bytes[], b: readonly Bytes[]): boolean {
  return a.length === b.length && a.every((chunk, index) => chunk === b[index]);
}

function joinChunks(codes: readonly Bytes[]): Result<Bytes, string> {
  const parts: Bytes[] = [];
  for (const [index, code] of codes.entries()) {
    const content = isProgramCode(code) ? readCode(code) : undefined;
    if (content?.ok !== true || content.value.form !== "chunk") {
      return err(`there is no chunk at address ${index + 1} of the manifest`);
    }
    parts.push(content.value.bytes);
  }
  return ok(concatBytes(...parts));
}
