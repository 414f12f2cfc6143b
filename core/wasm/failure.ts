/** What is wrong with a module.
 *
 * A module that is refused as unsupported or beyond a limit may be good WebAssembly; one that is refused with another code is
 * refused by every implementation of the specification. */
export type WasmErrorCode =
  /** The bytes end within something. */
  | "wasm/truncated"
  /** A LEB128 number with too many bytes, or with bits beyond its range. */
  | "wasm/malformed-number"
  /** A name that is not UTF-8. */
  | "wasm/malformed-name"
  /** A section out of order, twice, or of another size than it says. */
  | "wasm/malformed-section"
  /** Other bytes that mean nothing: no module, no such kind, no such type. */
  | "wasm/malformed"
  /** Exceeds a limit of the subset. */
  | "wasm/limit"
  /** Floating-point types and instructions: their NaNs differ between machines. */
  | "wasm/unsupported-float"
  /** A start function: code would run before anybody called it. */
  | "wasm/unsupported-start"
  /** Whatever else is outside the subset. */
  | "wasm/unsupported"
  /** No such type, function, local, global, label, table or memory. */
  | "wasm/unknown-index"
  /** Operands of other types than the instruction takes, or more or fewer of them. */
  | "wasm/type-mismatch"
  /** Other rules of validation: an export twice, an immutable global written, an alignment too large. */
  | "wasm/invalid";

/** @property offset of the byte in the module where it was noticed. */
export type WasmFailure = {
  readonly code: WasmErrorCode;
  readonly message: string;
  readonly offset: number;
};

/** Thrown inside the readers and turned into a `Result` at their boundary by `resultOf`. */
export class WasmError extends Error {
  override readonly name = "WasmError";
  readonly code: WasmErrorCode;
  readonly offset: number;
  constructor(code: WasmErrorCode, message: string, offset: number) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}
