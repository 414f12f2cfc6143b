import type { AccessControl, Session } from "./access-control.ts";
import type { RpcBackend } from "./backend.ts";
import type { BlockReader } from "./block-reader.ts";
import { type Decoder, decodeArgument } from "./decode.ts";
import type { FeeOracle } from "./fees.ts";
import type { FilterRegistry } from "./filter-registry.ts";
import type { Json } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import { invalidParams, type RpcError } from "./rpc-error.ts";
import type { SimulationQueue } from "./simulation-queue.ts";
import type { SubmissionQueue } from "./submission-queue.ts";
import type { SubscriptionConnection, SubscriptionHub } from "./subscription-hub.ts";
import type { TransactionWaiter } from "./transaction-waiter.ts";

/** What all requests of one server share. */
export type Services = {
  readonly backend: RpcBackend;
  readonly blocks: BlockReader;
  readonly limits: RpcLimits;
  readonly submissions: SubmissionQueue;
  readonly simulations: SimulationQueue;
  readonly filters: FilterRegistry;
  readonly waiter: TransactionWaiter;
  readonly subscriptions: SubscriptionHub;
  readonly fees: FeeOracle;
  readonly access: AccessControl;
  readonly clientVersion: string;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** The methods served, for rpc_modules and rpc.discover. */
  readonly methods: ReadonlyMap<string, Method>;
};

/** What one request brings with it. */
export type RequestContext = Services & {
  /** Where subscriptions go: a WebSocket's; undefined over HTTP. */
  readonly connection: SubscriptionConnection | undefined;
  readonly session: Session;
  /** By performance.now(): long work stops there. */
  readonly deadlineMs: number;
};

/** One parameter of a method, by its position. */
export type Parameter<T> = {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly read: (value: unknown, index: number) => T;
};

export type Method = {
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly Parameter<unknown>[];
  readonly returns: string;
  /** Decodes the positional parameters and runs. Throws an RpcError, or rejects with one. */
  readonly call: (context: RequestContext, given: readonly unknown[]) => Json | Promise<Json>;
  /** The same answer as JSON text, where it is at hand: nothing is encoded twice. */
  readonly text?: (context: RequestContext, given: readonly unknown[]) => string | Promise<string>;
  /** Answers the calls of one batch together: each with JSON text, or with why it is refused. Rejects for all alike. */
  readonly callMany?: (
    context: RequestContext,
    given: readonly (readonly unknown[])[],
  ) => Promise<readonly (string | RpcError)[]>;
};

/** The values of parameters, in their order. */
export type DecodedParameters<P extends readonly Parameter<unknown>[]> = {
  -readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never;
};

/** Describes a method once, for its callers and for its decoder. */
export function defineMethod<const P extends readonly Parameter<unknown>[]>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly parameters: P;
  readonly returns: string;
  readonly run: (context: RequestContext, ...values: DecodedParameters<P>) => Json | Promise<Json>;
}): Method {
  const { name, summary, parameters, returns, run } = definition;
  return { name, summary, parameters, returns, call: bindParameters(parameters, run) };
}

/** Describes a method whose answer is JSON text that is kept ready. @param definition `run` gives that text. */
export function defineTextMethod<const P extends readonly Parameter<unknown>[]>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly parameters: P;
  readonly returns: string;
  readonly run: (context: RequestContext, ...values: DecodedParameters<P>) => string | Promise<string>;
}): Method {
  const { name, summary, parameters, returns, run } = definition;
  const text = bindParameters(parameters, run);
  const call: Method["call"] = (context, given) => {
    const answer = text(context, given);
    return typeof answer === "string" ? parsed(answer) : answer.then(parsed);
  };
  return { name, summary, parameters, returns, call, text };
}

/** Text that this server wrote. */
function parsed(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Decodes the positional parameters before `run` sees them. Throws RpcError where they are too many or wrong.
 * @param run its first argument is whatever its caller has for it. */
export function bindParameters<Context, const P extends readonly Parameter<unknown>[], Answer = Json>(
  parameters: P,
  run: (context: Context, ...values: DecodedParameters<P>) => Answer | Promise<Answer>,
): (context: Context, given: readonly unknown[]) => Answer | Promise<Answer> {
  return (context, given) => {
    if (given.length > parameters.length) {
      throw invalidParams(`too many arguments, want at most ${parameters.length}`);
    }
    const values: unknown[] = [];
    for (let i = 0; i < parameters.length; i++) values.push(parameters[i]!.read(given[i], i));
    return run(context, ...(values as DecodedParameters<P>));
  };
}

/** A parameter that must be there. */
export function required<T>(name: string, decoder: Decoder<T>): Parameter<T> {
  return {
    name,
    type: decoder.type,
    isRequired: true,
    read: (value, index) => {
      if (value === undefined || value === null) {
        throw invalidParams(`missing value for required argument ${index}`);
      }
      return decodeArgument(decoder, value, index);
    },
  };
}

/** A parameter that may be missing or null, and is `fallback` then. */
export function optional<T, F>(name: string, decoder: Decoder<T>, fallback: F): Parameter<T | F> {
  return {
    name,
    type: decoder.type,
    isRequired: false,
    read: (value, index) => {
      return value === undefined || value === null ? fallback : decodeArgument(decoder, value, index);
    },
  };
}
