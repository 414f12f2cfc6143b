import { type Grounded, groundOf } from "./ground.ts";
import { createNodeProver, type NodeProver } from "./node-prover.ts";
import {
  type NodeReport,
  outcomeOf,
  type ProofAnchor,
  type ProofFailure,
  type ProofNode,
  type ProofReport,
  type ProofRequest,
} from "./proof-model.ts";

/** Nodes that are asked at most: each one's certificate is checked for itself. */
export const MAX_PROOF_NODES = 4;

/** Proves what pages ask, by the answers of several nodes, each for itself. Light clients live on between questions. */
export type Prover = {
  /** @param tell hears of every step. */
  readonly prove: (
    request: Omit<ProofRequest, "id">,
    tell: (report: ProofReport) => void,
  ) => Promise<ProofReport>;
};

/** Makes a prover. It begins anew whenever another chain, checkpoint or list of nodes is given. */
export function createProver(): Prover {
  let key = "";
  let grounded: Grounded | undefined;
  const provers = new Map<string, NodeProver>();
  const begin = async (anchor: ProofAnchor, nodes: readonly ProofNode[]): Promise<Grounded> => {
    const { claimedHash = "", pinned, checkpoint = "" } = anchor;
    const wanted = [claimedHash, pinned?.genesisHash, pinned?.setHash, checkpoint].join(" ");
    // What failed may have been no more than a node that did not answer.
    if (grounded === undefined || "failure" in grounded || wanted !== key) {
      provers.clear();
      grounded = await groundOf(anchor, nodes);
      key = wanted;
    }
    return grounded;
  };
  return {
    prove: async ({ question, anchor, nodes: all }, tell) => {
      const nodes = all.slice(0, MAX_PROOF_NODES);
      const began = await begin(anchor, nodes);
      if ("failure" in began) return refusedByAnchor(question, nodes, began.failure);
      const reports = nodes.map(({ name }): NodeReport => ({ node: name, state: "running", facts: [] }));
      const report = (): ProofReport => ({
        question,
        nodes: [...reports],
        outcome: outcomeOf(reports),
        isFinal: false,
      });
      await Promise.all(
        nodes.map(async (node, index) => {
          const prover = provers.get(node.url) ?? createNodeProver(node, anchor, began.ground);
          provers.set(node.url, prover);
          reports[index] = await prover.prove(question, (running) => {
            reports[index] = running;
            tell(report());
          });
          tell(report());
        }),
      );
      const proved = reports.findIndex(({ state }) => state === "proved");
      const trust = proved < 0 ? undefined : provers.get(nodes[proved]?.url ?? "")?.trust();
      return { ...report(), isFinal: true, trust, ...(proved < 0 ? {} : { pin: began.ground.pin }) };
    },
  };
}

function refusedByAnchor(
  question: ProofReport["question"],
  nodes: readonly ProofNode[],
  failure: ProofFailure,
): ProofReport {
  const isRefused = failure.code === "anchor/changed" || failure.code === "anchor/inconsistent";
  const state = isRefused ? "refused" : "unreachable";
  return {
    question,
    outcome: isRefused ? "refused" : "unavailable",
    isFinal: true,
    nodes: nodes.map(({ name }) => ({ node: name, state, facts: [], failedStep: "anchor", failure })),
  };
}
