import type { ServiceContext } from "./module-face.ts";
import type { LogLevel } from "./ports.ts";

/** What the node asks of a worker that runs a module's service. */
export type ServiceWorkerVocabulary = {
  /** Answers when the service has come to its end, or that the module has none. */
  readonly run: { readonly argument: ServiceWorkerOptions; readonly answer: "ended" | "none" };
  /** Lets it end its work. */
  readonly stop: { readonly argument: undefined; readonly answer: undefined };
};

export type ServiceWorkerOptions = Omit<
  ServiceContext,
  "readSecret" | "rpcHeaders" | "log" | "clock" | "signal"
> & {
  /** The module's. */
  readonly name: string;
  /** Of its service package. */
  readonly address: string;
  readonly nodeFolder: string;
};

export type ServiceWorkerEvents = {
  readonly log: {
    readonly level: LogLevel;
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  };
};
