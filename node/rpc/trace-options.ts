import type { TraceOptions } from "@ostrom/execution";
import { count, type Decoder, flag, objectOf, optionalField, text, ValueError } from "./decode.ts";
import { isGiven, isParsedObject, own, type ParsedObject } from "./json.ts";

/** What debug_trace* is asked to do. */
export type TraceChoice = {
  readonly options: TraceOptions;
  /** undefined: as long as a request may take. */
  readonly timeoutMs: number | undefined;
};

const NAMES = "callTracer, prestateTracer, 4byteTracer, noopTracer, muxTracer, or none for the struct logger";
/** Tracers in one muxTracer. */
const MAX_TRACERS = 8;
const IDENTIFIER = /^\w+$/;

/** Go's durations: "300ms", "1m30s". */
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

const duration: Decoder<number> = {
  type: 'duration ("5s")',
  decode: (value) => {
    const given = text.decode(value);
    if (!DURATION.test(given))
      throw new ValueError(`invalid duration ${JSON.stringify(given)}: for example "5s"`);
    let total = 0;
    for (const [, amount, unit] of given.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
      total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
    }
    return Math.ceil(total);
  },
};

const steps: Decoder<number> = {
  type: "number",
  decode: (value) => {
    if (typeof value === "string") return count.decode(value);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw new ValueError("expected a number that is not negative");
  },
};

/** geth's TraceConfig. JavaScript tracers are refused: a node runs no code of its clients. */
export const traceChoice: Decoder<TraceChoice> = objectOf(
  "trace options {tracer, tracerConfig, timeout, enableMemory, disableStack, disableStorage, enableReturnData, limit}",
  readTraceChoice,
);

export function readTraceChoice(object: ParsedObject): TraceChoice {
  return { options: optionsOf(object), timeoutMs: optionalField(object, "timeout", duration) };
}

export const DEFAULT_TRACE: TraceChoice = readTraceChoice({});

function optionsOf(object: ParsedObject): TraceOptions {
  const given = own(object, "tracer");
  const name = isGiven(given) ? text.decode(given) : "";
  const config = own(object, "tracerConfig");
  if (name === "" || name === "structLogger") return structLogger(name === "" ? object : configOf(config));
  return namedTracer(name, config);
}

function structLogger(object: ParsedObject): TraceOptions {
  const isSet = (key: string): boolean => optionalField(object, key, flag) ?? false;
  // Hardhat's and older geth's name for the opposite of enableMemory.
  const disablesMemory = optionalField(object, "disableMemory", flag);
  const options = {
    enableMemory: optionalField(object, "enableMemory", flag) ?? disablesMemory === false,
    disableStack: isSet("disableStack"),
    disableStorage: isSet("disableStorage"),
    enableReturnData: isSet("enableReturnData"),
    limit: optionalField(object, "limit", steps) ?? 0,
  };
  return { tracer: "structLogger", options };
}

function namedTracer(name: string, given: unknown): TraceOptions {
  const config = (): ParsedObject => configOf(given);
  const isSet = (key: string): boolean => optionalField(config(), key, flag) ?? false;
  switch (name) {
    case "callTracer":
      return { tracer: name, options: { onlyTopCall: isSet("onlyTopCall"), withLog: isSet("withLog") } };
    case "prestateTracer":
      return {
        tracer: name,
        options: {
          diffMode: isSet("diffMode"),
          disableCode: isSet("disableCode"),
          disableStorage: isSet("disableStorage"),
          includeEmpty: isSet("includeEmpty"),
        },
      };
    case "4byteTracer":
    case "noopTracer":
      return { tracer: name };
    case "muxTracer":
      return muxTracer(config());
    default:
      throw new ValueError(refusalOf(name));
  }
}

function muxTracer(config: ParsedObject): TraceOptions {
  const names = Object.keys(config);
  if (names.length > MAX_TRACERS) throw new ValueError(`more than ${MAX_TRACERS} tracers`);
  if (names.includes("muxTracer")) throw new ValueError("a muxTracer within a muxTracer");
  return { tracer: "muxTracer", tracers: names.map((name) => namedTracer(name, own(config, name))) };
}

function configOf(value: unknown): ParsedObject {
  if (!isGiven(value)) return {};
  if (!isParsedObject(value)) throw new ValueError("tracerConfig: expected an object");
  return value;
}

function refusalOf(name: string): string {
  if (!IDENTIFIER.test(name)) {
    return `JavaScript tracers are not supported: a node runs no code of its clients. Tracers: ${NAMES}`;
  }
  return `tracer ${JSON.stringify(name)} is not known. Tracers: ${NAMES}`;
}
