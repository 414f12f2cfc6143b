import {
  type Address,
  type Bytes,
  concatBytes,
  equalBytes,
  err,
  type Hash,
  ok,
  type Result,
} from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import { isProgramCode, readCode } from "./code-format.ts";
import { RecentlyUsed } from "./recently-used.ts";
import type { Program, ProgramKinds } from "./types.ts";

/** What code is when its chunks are put together. */
export type AssembledProgram = {
  readonly program: Program;
  /** Of a manifest; empty otherwise. */
  readonly chunks: readonly Address[];
  /** Of the chunks' code: others make another program. */
  readonly hashes: readonly (Hash | undefined)[];
};

/** Bytes of programs that are kept. */
const KEPT_BYTES = 64 * 2 ** 20;
const ENTRY_BYTES = 4096;

// Valid programs, by the code object, as code analyses are (code-analysis.ts): a node has one for each code. A manifest's chunks
// may be others in another state, so their hashes are compared each time.
const known = new RecentlyUsed<Bytes, AssembledProgram>(KEPT_BYTES);

/** The addresses of the chunks that code names, if it is a manifest. */
export function chunksOf(code: Bytes): readonly Address[] {
  const before = known.find(code);
  if (before !== undefined) return before.chunks;
  const content = readCode(code);
  return content.ok && content.value.form === "manifest" ? content.value.chunks : [];
}

/** The program that code is, which may be invalid.
 * @param code has the prefix; the same object whenever the code is the same, or the program is prepared again each time.
 * Errors: why it is no program, for people. */
export function assembleProgram(state: JournaledState, code: Bytes): Result<AssembledProgram, string> {
  const before = known.find(code);
  if (before !== undefined && hasSameChunks(state, before)) return ok(before);
  const content = readCode(code);
  if (!content.ok) return content;
  switch (content.value.form) {
    case "chunk":
      return err("a chunk is no program");
    case "program": {
      const { kind, bytes } = content.value;
      return ok({ program: { kind, bytes }, chunks: [], hashes: [] });
    }
    case "manifest": {
      const { kind, chunks } = content.value;
      const bytes = joinChunks(chunks.map((address) => state.code(address)));
      if (!bytes.ok) return bytes;
      const hashes = chunks.map((address) => state.codeHash(address));
      return ok({ program: { kind, bytes: bytes.value }, chunks, hashes });
    }
    default:
      return content.value satisfies never;
  }
}

/** The program if it is valid. Only then is it kept, with whatever is prepared of it: who comes here has paid for that.
 * Errors: why it is not, for people. */
export function validProgram(
  kinds: ProgramKinds,
  code: Bytes,
  assembled: AssembledProgram,
): Result<Program, string> {
  const { program } = assembled;
  if (known.keeps(code, assembled)) return ok(program);
  const verdict = kinds[program.kind].validate(program.bytes);
  if (!verdict.ok) return err(verdict.reason);
  known.keep(code, assembled, ENTRY_BYTES + program.bytes.length);
  return ok(program);
}

function hasSameChunks(state: JournaledState, { chunks, hashes }: AssembledProgram): boolean {
  return chunks.every((address, index) => {
    const [hash, before] = [state.codeHash(address), hashes[index]];
    return hash !== undefined && before !== undefined && equalBytes(hash, before);
  });
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
