import type { Bytes } from "@ostrom/base";
import type { Subset } from "../subset.ts";
import { readValidModule } from "../validate-module.ts";

/** How many modules met each fate. Where V8 and we must agree, they did. */
export type Agreement = {
  bothAccept: number;
  bothRefuse: number;
  /** Outside the subset or beyond a limit: V8 may do as it likes. */
  outside: number;
  outsideButV8Accepts: number;
  /** How often each code was given. */
  readonly codes: Map<string, number>;
};

export function noAgreement(): Agreement {
  return { bothAccept: 0, bothRefuse: 0, outside: 0, outsideButV8Accepts: 0, codes: new Map() };
}

/** Compares our verdict on one module with V8's and counts it.
 * @returns what they disagree about, or undefined. */
export function compareWithV8(bytes: Bytes, subset: Subset, counts: Agreement): string | undefined {
  const ours = readValidModule(bytes, subset);
  const v8Accepts = WebAssembly.validate(new Uint8Array(bytes));
  const code = ours.ok ? "ok" : ours.error.code;
  counts.codes.set(code, (counts.codes.get(code) ?? 0) + 1);
  if (ours.ok) {
    if (!v8Accepts) return `we accept, and V8 says: ${complaintOfV8(bytes)}`;
    counts.bothAccept++;
    return undefined;
  }
  if (code.startsWith("wasm/unsupported") || code === "wasm/limit") {
    counts.outside++;
    if (v8Accepts) counts.outsideButV8Accepts++;
    return undefined;
  }
  if (v8Accepts) return `V8 accepts, and we say: ${code} at ${ours.error.offset}: ${ours.error.message}`;
  counts.bothRefuse++;
  return undefined;
}

function complaintOfV8(bytes: Bytes): string {
  try {
    new WebAssembly.Module(new Uint8Array(bytes));
    return "nothing";
  } catch (error) {
    return String(error);
  }
}

/** One line for a test's diagnostics. */
export function describeAgreement(counts: Agreement): string {
  const codes = [...counts.codes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, count]) => `${code} ${count}`);
  return (
    `both accept ${counts.bothAccept}, both refuse ${counts.bothRefuse}, outside the subset ${counts.outside} ` +
    `(${counts.outsideButV8Accepts} of which V8 accepts); ${codes.join(", ")}`
  );
}
