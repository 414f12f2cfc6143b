import { createLightClient, httpServer, type LightServer } from "@ostrom/sdk";
import { accept, Ended } from "./ended.ts";
import type { Ground } from "./ground.ts";
import type { NodeReport, ProofAnchor, ProofNode, ProofQuestion, StepFacts } from "./proof-model.ts";
import { proveInBlock } from "./prove-in-block.ts";
import { proveState } from "./prove-state.ts";
import { recordServer } from "./recorder.ts";
import { stateOfFailure, stepOfFailure } from "./refusal.ts";
import { factsOfTrust } from "./trust-facts.ts";

/** One head serves a whole question: nothing moves on while it is proved. */
const HEAD_REFRESH_MS = 60_000;
const TIMEOUT_MS = 15_000;

/** Proves questions by the answers of one node. */
export type NodeProver = {
  readonly prove: (question: ProofQuestion, tell: (report: NodeReport) => void) => Promise<NodeReport>;
  /** What has been verified so far; undefined before the first certificate. */
  readonly trust: () => string | undefined;
};

/** @param ground what the browser trusts, which the caller has compared with what is pinned. */
export function createNodeProver(
  node: ProofNode,
  anchor: ProofAnchor,
  ground: Ground,
  server: LightServer = httpServer(node.url, { timeoutMs: TIMEOUT_MS }),
): NodeProver {
  const recorded = recordServer(server);
  let trust = anchor.trust;
  const client = createLightClient({
    servers: [recorded.server],
    ...(ground.genesis === undefined ? {} : { genesis: ground.genesis }),
    checkpoint: anchor.checkpoint ?? (ground.genesis === undefined ? ground.checkpoint : undefined),
    headRefreshMs: HEAD_REFRESH_MS,
    storage: {
      load: () => Promise.resolve(anchor.trust),
      save: (text) => {
        trust = text;
        return Promise.resolve();
      },
    },
  });
  const anchored: StepFacts = {
    step: "anchor",
    pin: ground.pin,
    isFirst: anchor.pinned === undefined,
  };
  return {
    trust: () => trust,
    prove: async (question, tell) => {
      recorded.clear();
      const facts: StepFacts[] = [anchored];
      const add = (...more: readonly StepFacts[]): void => {
        facts.push(...more);
        tell({ node: node.name, state: "running", facts: [...facts] });
      };
      try {
        const head = accept("sync", await client.sync());
        if (trust !== undefined) add(...factsOfTrust(trust, ground.hashId));
        const subject = { client, recorded, head, add };
        await ("hash" in question ? proveInBlock(subject, question) : proveState(subject, question));
        return { node: node.name, state: "proved", facts };
      } catch (error) {
        const { failure, phase } = error instanceof Ended ? error : brokenBy(error);
        const failedStep = stepOfFailure(phase, failure);
        return { node: node.name, state: stateOfFailure(failure), facts, failedStep, failure };
      }
    },
  };
}

/** An answer on which the checks themselves stumbled proves nothing. */
function brokenBy(error: unknown): Pick<Ended, "failure" | "phase"> {
  const message = error instanceof Error ? error.message : String(error);
  return { phase: "proof", failure: { code: "page/broken", message } };
}
