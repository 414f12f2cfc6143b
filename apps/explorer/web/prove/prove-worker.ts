import type { ProofMessage, ProofRequest } from "./proof-model.ts";
import { createProver } from "./prover.ts";

/** What of a worker's own scope is used here. */
type WorkerScope = {
  readonly postMessage: (message: ProofMessage) => void;
  onmessage: ((event: MessageEvent<ProofRequest>) => void) | null;
};

const scope = globalThis as unknown as WorkerScope;
const prover = createProver();
// One question after the other: they share the light clients.
let last: Promise<unknown> = Promise.resolve();

scope.onmessage = ({ data: { id, ...request } }) => {
  last = last.then(async () => {
    const report = await prover.prove(request, (running) => scope.postMessage({ id, report: running }));
    scope.postMessage({ id, report });
  });
};
