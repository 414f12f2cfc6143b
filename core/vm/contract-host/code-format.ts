import { Address, type Bytes, concatBytes, err, ok, type Result } from "@ostrom/base";
import { INIT_CODE_HEADER_BYTES, MAX_CHUNK_BYTES, MAX_CHUNKS } from "./program-gas.ts";
import { CODE_PREFIX, type CodeKind, KIND_BYTE, type ProgramKind } from "./types.ts";

/** What stands behind the prefix of code that is not the EVM's. The bytes are parts of the code. */
export type CodeContent =
  | { readonly form: "chunk"; readonly bytes: Bytes }
  | { readonly form: "program"; readonly kind: ProgramKind; readonly bytes: Bytes }
  | { readonly form: "manifest"; readonly kind: ProgramKind; readonly chunks: readonly Address[] };

/** What init code with the prefix asks to deploy. */
export type Deployment = {
  /** As it will be deployed: an object of its own. */
  readonly code: Bytes;
  readonly content: CodeContent;
  readonly constructorInput: Bytes;
};

const KIND_OFFSET = CODE_PREFIX.length;
const PAYLOAD_OFFSET: number = KIND_OFFSET + 1;
const ADDRESS_BYTES = 20;

/** Whether code, or init code, is not the EVM's: it has the prefix. What follows may still be nothing that is known. */
export function isProgramCode(code: Bytes): boolean {
  return code.length > 0 && CODE_PREFIX.every((byte, index) => code[index] === byte);
}

/** What deployed code says that it is. Code whose kind is not known is "evm": it faults when it is called, as all code
 * that begins with 0xEF does. */
export function kindOf(code: Bytes): CodeKind {
  const content = isProgramCode(code) ? readCode(code) : undefined;
  if (content?.ok !== true) return "evm";
  return content.value.form === "chunk" ? "chunk" : content.value.kind;
}

/** Reads deployed code that has the prefix.
 * Errors: why it is nothing that is known, for people. */
export function readCode(code: Bytes): Result<CodeContent, string> {
  const kind = code[KIND_OFFSET];
  const payload = code.subarray(PAYLOAD_OFFSET);
  switch (kind) {
    case KIND_BYTE.chunk:
      return readChunk(payload);
    case KIND_BYTE.webassembly:
      return ok({ form: "program", kind: "webassembly", bytes: payload });
    case KIND_BYTE.riscv:
      return ok({ form: "program", kind: "riscv", bytes: payload });
    case KIND_BYTE.webassemblyManifest:
      return readManifest("webassembly", payload);
    case KIND_BYTE.riscvManifest:
      return readManifest("riscv", payload);
    default:
      return err(kind === undefined ? "the code ends before its kind" : `there is no kind of code ${kind}`);
  }
}

function readChunk(bytes: Bytes): Result<CodeContent, string> {
  if (bytes.length === 0) return err("a chunk must not be empty");
  if (bytes.length > MAX_CHUNK_BYTES) return err(`a chunk has at most ${MAX_CHUNK_BYTES} bytes`);
  return ok({ form: "chunk", bytes });
}

function readManifest(kind: ProgramKind, payload: Bytes): Result<CodeContent, string> {
  const count = payload.length / ADDRESS_BYTES;
  if (!Number.isInteger(count)) return err("a manifest is a list of addresses of 20 bytes");
  if (count === 0 || count > MAX_CHUNKS) return err(`a manifest names 1 to ${MAX_CHUNKS} chunks`);
  const chunks = Array.from({ length: count }, (_, index) =>
    Address(payload.slice(index * ADDRESS_BYTES, (index + 1) * ADDRESS_BYTES)),
  );
  return ok({ form: "manifest", kind, chunks });
}

/** Reads init code that has the prefix.
 * Errors: why it is malformed, for people. */
export function readInitCode(initCode: Bytes): Result<Deployment, string> {
  if (initCode.length < INIT_CODE_HEADER_BYTES) return err("the init code ends within its header");
  const header = new DataView(initCode.buffer, initCode.byteOffset, INIT_CODE_HEADER_BYTES);
  const end = INIT_CODE_HEADER_BYTES + header.getUint32(PAYLOAD_OFFSET);
  if (end > initCode.length) {
    return err(`the payload reaches to byte ${end}, the init code only to ${initCode.length}`);
  }
  const code = concatBytes(
    initCode.subarray(0, PAYLOAD_OFFSET),
    initCode.subarray(INIT_CODE_HEADER_BYTES, end),
  );
  const content = readCode(code);
  if (!content.ok) return content;
  return ok({ code, content: content.value, constructorInput: initCode.slice(end) });
}

/** Init code that deploys a payload. It may be too long for one transaction: see MAX_PAYLOAD_BYTES and MAX_CHUNK_BYTES.
 * @param constructorInput must be empty for a chunk. */
export function programInitCode(
  kind: keyof typeof KIND_BYTE,
  payload: Bytes,
  constructorInput: Bytes = new Uint8Array(),
): Bytes {
  const header = new Uint8Array(INIT_CODE_HEADER_BYTES);
  header.set(CODE_PREFIX);
  header[KIND_OFFSET] = KIND_BYTE[kind];
  new DataView(header.buffer).setUint32(PAYLOAD_OFFSET, payload.length);
  return concatBytes(header, payload, constructorInput);
}
