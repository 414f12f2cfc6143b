import type { Failure } from "@ostrom/base";
import type { ModuleManifest } from "./module-face.ts";

/** What a command line and its program say for one run; undefined leaves what node.json says. */
export type NodeOverrides = {
  readonly rpcHost?: string | undefined;
  readonly rpcPort?: number | undefined;
  /** Files of a certificate and its key. */
  readonly rpcTls?: { readonly certificate: string; readonly key: string } | undefined;
  readonly linkHost?: string | undefined;
  readonly linkPort?: number | undefined;
  readonly metricsHost?: string | undefined;
  readonly metricsPort?: number | undefined;
  readonly logLevel?: string | undefined;
  /** `replay` or `snapshot`. */
  readonly sync?: string | undefined;
  readonly logFormat?: string | undefined;
  readonly onBlock?: (block: BlockNotice) => void;
  /** What the program is put together from: its modules (none if undefined)... */
  readonly modules?: readonly ModuleManifest[] | undefined;
  /** ...and Ethereum rule sets (all of core/vm if undefined). */
  readonly forks?: readonly string[] | undefined;
};

export type BlockNotice = {
  readonly number: number;
  readonly hash: string;
  readonly transactions: number;
  readonly gasUsed: string;
};

/** A node with a life: it runs until it is stopped or `failed` resolves. */
export type RunningNode = {
  readonly name: string;
  readonly rpcUrl: string;
  readonly heads: () => { readonly head: number; readonly certified: number };
  /** Where metrics, health and readiness are; undefined: nowhere. */
  readonly metricsUrl: string | undefined;
  /** Resolves with what was wrong if the node cannot go on. */
  readonly failed: Promise<Failure>;
  /** Ends all threads and closes all files; what was acknowledged is on disk already. */
  readonly stop: () => Promise<void>;
};
