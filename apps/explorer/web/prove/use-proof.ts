import { useCallback, useEffect, useRef, useState } from "react";
import { readConsole } from "../data/console.ts";
import { settingsStore } from "../data/settings.ts";
import { anchorStore, keepProved, keptTrust } from "./kept-anchor.ts";
import type { ProofMessage, ProofNode, ProofQuestion, ProofReport, ProofRequest } from "./proof-model.ts";

type Listener = (report: ProofReport) => void;

/** One worker for all proofs: its light clients know where the chain was at the last question. */
let worker: Worker | undefined;
let lastId = 0;
const listeners = new Map<number, Listener>();

function startWorker(): Worker {
  if (worker !== undefined) return worker;
  const started = new Worker(new URL("./prove-worker.ts", import.meta.url), { type: "module" });
  started.onmessage = ({ data: { id, report } }: MessageEvent<ProofMessage>) => {
    listeners.get(id)?.(report);
    if (report.isFinal) listeners.delete(id);
    if (report.outcome === "proved" && report.pin !== undefined) keepProved(report.pin, report.trust);
  };
  started.onerror = () => {
    // It could not be loaded, or broke: nothing that was asked will be answered, and the next question starts another.
    started.terminate();
    worker = undefined;
    for (const listener of listeners.values()) listener(BROKEN);
    listeners.clear();
  };
  worker = started;
  return started;
}

const BROKEN: ProofReport = {
  question: { kind: "transaction", hash: "0x" },
  nodes: [
    {
      node: "",
      state: "unreachable",
      facts: [],
      failedStep: "anchor",
      failure: { code: "page/worker", message: "the worker that proves could not be started" },
    },
  ],
  outcome: "unavailable",
  isFinal: true,
};

/** Asks for a proof. @returns what stops listening. */
function askProof(question: ProofQuestion, listener: Listener): () => void {
  const id = ++lastId;
  listeners.set(id, listener);
  requestOf(id, question)
    .then((request) => startWorker().postMessage(request))
    .catch(() => listener(BROKEN));
  return () => listeners.delete(id);
}

async function requestOf(id: number, question: ProofQuestion): Promise<ProofRequest> {
  const { genesis, genesisHash, nodes } = await readConsole();
  const asked = settingsStore.get().node;
  const all = nodes.map(({ name, path }): ProofNode => ({ name, url: new URL(path, location.href).href }));
  const first = all[asked] ?? all[0];
  const { pin, checkpoint } = anchorStore.get();
  return {
    id,
    question,
    anchor: {
      genesis: genesis ?? undefined,
      claimedHash: genesisHash ?? undefined,
      pinned: pin,
      checkpoint,
      trust: keptTrust(),
    },
    nodes: first === undefined ? [] : [first, ...all.filter((node) => node !== first)],
  };
}

export type Proof = {
  /** undefined before it was asked for. */
  readonly report: ProofReport | undefined;
  readonly start: () => void;
  readonly isRunning: boolean;
};

/** A proof of one question, made when it is asked for. */
export function useProof(question: ProofQuestion): Proof {
  const [report, setReport] = useState<ProofReport>();
  const [isRunning, setRunning] = useState(false);
  const end = useRef<() => void>(undefined);
  const newest = useRef(question);
  newest.current = question;
  useEffect(() => () => end.current?.(), []);
  const start = useCallback(() => {
    end.current?.();
    setRunning(true);
    setReport(undefined);
    end.current = askProof(newest.current, (next) => {
      setReport(next);
      if (next.isFinal) setRunning(false);
    });
  }, []);
  return { report, start, isRunning };
}
