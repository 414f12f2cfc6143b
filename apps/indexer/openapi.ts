import type { Schema } from "./json-schema.ts";
import { REST_SCHEMAS } from "./rest-schemas.ts";
import { PARAMETER_RULES, type Route } from "./route.ts";

const VERSION = "1.0.0";

/** The description of the interface (OpenAPI 3.1), made from the table of its routes. */
export function openApiDocument(routes: readonly Route[], basePath: string): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = `${basePath}${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Ostrom index",
      version: VERSION,
      description:
        "Hashes, addresses and data are lower-case hexadecimal; amounts are decimal strings in the smallest unit; times are seconds since 1970. Lists are pages: `next` goes back as `cursor`.",
    },
    paths,
    components: { schemas: REST_SCHEMAS },
  };
}

function operation({ path, summary, parameters, answer, body, method }: Route): object {
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^a-z]+([a-z])/gi, (_, letter: string) => letter.toUpperCase()).replace(/[^a-z]/gi, "")}`,
    summary,
    parameters: Object.entries(parameters).map(([name, kind]) => {
      const isInPath = path.includes(`{${name}}`);
      const { pattern, expected } = PARAMETER_RULES[kind];
      return {
        name,
        in: isInPath ? "path" : "query",
        required: isInPath,
        description: expected,
        schema: { type: "string", pattern: pattern.source },
      };
    }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: open(body) } } } }),
    responses: {
      [method === "POST" ? "202" : "200"]: {
        description: "OK",
        content: { "application/json": { schema: answer } },
      },
      default: {
        description: "What was wrong (RFC 9457)",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

/** Requests may have more than is named. */
function open(schema: Schema): Schema {
  return { ...schema, additionalProperties: true };
}
