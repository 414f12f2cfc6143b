/** What the pages and the worker that proves tell each other: plain data, so that it travels by messages. */

export type HexText = `0x${string}`;

/** What is to be proved. */
export type ProofQuestion =
  | { readonly kind: "balance" | "nonce" | "code"; readonly address: HexText }
  | { readonly kind: "storage"; readonly address: HexText; readonly slot: HexText }
  | { readonly kind: "transaction" | "receipt"; readonly hash: HexText };

/** A node that is asked. @see url absolute: a worker has an address of its own. */
export type ProofNode = { readonly name: string; readonly url: string };

/** What names a chain: the hash of its first block, and that of the validators of its first epoch. */
export type ChainPin = { readonly genesisHash: HexText; readonly setHash: HexText };

/** What the browser trusts: everything else follows from it by proofs. */
export type ProofAnchor = {
  /** The value of genesis.json, or what ostrom_getGenesis answers, as console.json gives it. */
  readonly genesis: unknown;
  /** What console.json calls genesis' hash. */
  readonly claimedHash: HexText | undefined;
  /** What this browser keeps from the first time. */
  readonly pinned: ChainPin | undefined;
  /** A line of `ostrom checkpoint` that the user has given. */
  readonly checkpoint: string | undefined;
  /** What an earlier proof has verified, as the light client writes it. */
  readonly trust: string | undefined;
};

export type ProofRequest = {
  readonly id: number;
  readonly question: ProofQuestion;
  readonly anchor: ProofAnchor;
  /** The first one is the node that the page asks. */
  readonly nodes: readonly ProofNode[];
};

/** In the order in which they are checked. `ancestor` is for what is in an older block than the newest certified one. */
export const PROOF_STEPS = [
  "anchor",
  "validators",
  "header",
  "certificate",
  "ancestor",
  "path",
  "value",
] as const;
export type ProofStepName = (typeof PROOF_STEPS)[number];

export type ProofValidator = {
  readonly address: HexText;
  readonly weight: number;
  readonly hasSigned: boolean;
};

/** A node of a Merkle tree on the way from the root to the value. */
export type PathNode = {
  /** Computed here from the node's bytes; the node above names the same. */
  readonly hash: HexText;
  readonly kind: "branch" | "extension" | "leaf";
  /** Hex digits of the key before this node. */
  readonly before: string;
  /** Hex digits of the key that this node takes; empty where the way ends in it. */
  readonly taken: string;
  readonly bytes: number;
};

export type ProofPath = {
  readonly of: "account" | "slot" | "transaction" | "receipt";
  readonly root: HexText;
  /** Where in the tree the value must be: hex digits. */
  readonly key: string;
  readonly nodes: readonly PathNode[];
};

/** What a step has shown. */
export type StepFacts =
  | { readonly step: "anchor"; readonly pin: ChainPin; readonly isFirst: boolean }
  | {
      readonly step: "validators";
      readonly epoch: number;
      readonly validators: readonly ProofValidator[];
    }
  | {
      readonly step: "header";
      readonly height: number;
      readonly hash: HexText;
      readonly timestamp: number;
      readonly stateRoot: HexText;
    }
  | {
      readonly step: "certificate";
      readonly signers: number;
      readonly validators: number;
      readonly weight: number;
      readonly needed: number;
      readonly total: number;
      readonly scheme: string;
    }
  | {
      readonly step: "ancestor";
      readonly height: number;
      readonly hash: HexText;
      readonly way: "parents" | "history";
    }
  | { readonly step: "path"; readonly paths: readonly ProofPath[] }
  | { readonly step: "value"; readonly fields: readonly ProvedField[]; readonly isAbsent: boolean };

/** A proved field and what the node says without proof, where it was asked. */
export type ProvedField = {
  readonly name: FieldName;
  readonly value: string;
  readonly said?: string | undefined;
};
export type FieldName =
  | "balance"
  | "nonce"
  | "codeHash"
  | "codeBytes"
  | "slot"
  | "from"
  | "to"
  | "value"
  | "status"
  | "gasUsed"
  | "logs"
  | "block"
  | "index";

export type ProofFailure = { readonly code: string; readonly message: string };

/** How far the proof by one node's answers is. */
export type NodeReport = {
  readonly node: string;
  readonly state: "running" | "proved" | "refused" | "unreachable";
  readonly facts: readonly StepFacts[];
  /** Where it ended, unless it proved. */
  readonly failedStep?: ProofStepName | undefined;
  readonly failure?: ProofFailure | undefined;
};

export type ProofReport = {
  readonly question: ProofQuestion;
  readonly nodes: readonly NodeReport[];
  /** `proved`: at least one node's answers; `refused`: none, and at least one was wrong; `unavailable`: nobody could answer. */
  readonly outcome: "running" | "proved" | "refused" | "unavailable";
  /** All nodes have been heard. */
  readonly isFinal: boolean;
  /** What was verified on the way, to be kept; undefined where nothing is new. */
  readonly trust?: string | undefined;
  /** The chain by which it was proved, to be pinned. */
  readonly pin?: ChainPin | undefined;
};

export type ProofMessage = { readonly id: number; readonly report: ProofReport };

/** The outcome that follows from what the nodes answered. */
export function outcomeOf(nodes: readonly NodeReport[]): ProofReport["outcome"] {
  if (nodes.some(({ state }) => state === "proved")) return "proved";
  if (nodes.some(({ state }) => state === "running")) return "running";
  return nodes.some(({ state }) => state === "refused") ? "refused" : "unavailable";
}

/** The report that is shown in full: one that proved, else one that was refused, else the first. */
export function leadReport(nodes: readonly NodeReport[]): NodeReport | undefined {
  const having = (state: NodeReport["state"]): NodeReport | undefined =>
    nodes.find((node) => node.state === state);
  return having("proved") ?? having("refused") ?? nodes[0];
}
