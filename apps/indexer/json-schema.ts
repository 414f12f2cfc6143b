/** The part of JSON Schema 2020-12 (which OpenAPI 3.1 uses) that the answers of this interface need, and a checker of it for tests. */
export type Schema = {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
};

export const BOOLEAN: Schema = { type: "boolean" };
export const TEXT: Schema = { type: "string" };
export const NUMBER: Schema = { type: "integer" };
export const HEX: Schema = { type: "string", pattern: "^0x[0-9a-f]*$" };
export const HASH: Schema = { type: "string", pattern: "^0x[0-9a-f]{64}$" };
export const ADDRESS: Schema = { type: "string", pattern: "^0x[0-9a-f]{40}$" };
export const AMOUNT: Schema = {
  type: "string",
  pattern: "^-?[0-9]+$",
  description: "a whole number of any size",
};

export function orNull(schema: Schema): Schema {
  return { oneOf: [schema, { type: "null" }] };
}

export function list(items: Schema): Schema {
  return { type: "array", items };
}

/** All of these, and nothing else. */
export function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

export function reference(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function page(name: string): Schema {
  return object({ items: list(reference(name)), next: orNull(TEXT) });
}

/** What of a value does not fit a schema: its path and why; empty if all of it does. */
export function misfits(
  value: unknown,
  schema: Schema,
  schemas: Readonly<Record<string, Schema>>,
  path = "$",
): readonly string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1)!;
    const target = schemas[name];
    return target === undefined ? [`${path}: no schema ${name}`] : misfits(value, target, schemas, path);
  }
  if (schema.oneOf !== undefined) {
    const all = schema.oneOf.map((one) => misfits(value, one, schemas, path));
    return all.some((found) => found.length === 0)
      ? []
      : [`${path}: fits none of ${all.length}`, ...all.flat()];
  }
  if ("const" in schema && value !== schema.const) return [`${path}: is not ${String(schema.const)}`];
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${path}: is none of ${String(schema.enum)}`];
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.includes(typeOf(value)))
    return [`${path}: is ${typeOf(value)}, not ${types.join(" or ")}`];
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(String(value)))
    return [`${path}: ${JSON.stringify(value)} does not match ${schema.pattern}`];
  if (Array.isArray(value))
    return schema.items === undefined
      ? []
      : value.flatMap((item, index) => misfits(item, schema.items!, schemas, `${path}[${index}]`));
  return typeof value === "object" && value !== null
    ? objectMisfits(value as Readonly<Record<string, unknown>>, schema, schemas, path)
    : [];
}

function objectMisfits(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties = true }: Schema,
  schemas: Readonly<Record<string, Schema>>,
  path: string,
): readonly string[] {
  const missing = required.filter((name) => !(name in value)).map((name) => `${path}.${name}: is missing`);
  const inside = Object.entries(value).flatMap(([name, member]) => {
    const known = properties[name];
    if (known !== undefined) return misfits(member, known, schemas, `${path}.${name}`);
    if (additionalProperties === false) return [`${path}.${name}: is not in the schema`];
    return typeof additionalProperties === "object"
      ? misfits(member, additionalProperties, schemas, `${path}.${name}`)
      : [];
  });
  return [...missing, ...inside];
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isSafeInteger(value) ? "integer" : typeof value;
}
