export type { Json, JsonObject } from "@ostrom/rpc-schema";

/** What JSON.parse made of a client's text: nothing is known of its keys, `__proto__` among them. */
export type ParsedObject = { readonly [key: string]: unknown };

export function isParsedObject(value: unknown): value is ParsedObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const hasOwn = Object.prototype.hasOwnProperty;

/** Reads an own key; inherited ones ("constructor") do not count. */
export function own(object: ParsedObject, key: string): unknown {
  return hasOwn.call(object, key) ? object[key] : undefined;
}

/** Clients write null for what they leave out. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
