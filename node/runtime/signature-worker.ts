import { parentPort, workerData } from "node:worker_threads";
import { must } from "@ostrom/base";
import type { ChainRules } from "@ostrom/execution";
import { checkBatch } from "./batch-check.ts";
import { countBatch, countSenders, countStatements } from "./metrics-signatures.ts";
import { joinMetrics } from "./metrics-thread.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { unpackBytes } from "./packed-bytes.ts";
import {
  checkSenders,
  checkStatements,
  packSenders,
  type SignatureWorkerVocabulary,
} from "./signature-checker.ts";
import { connectWorker } from "./worker-calls.ts";

joinMetrics();
installNativeCrypto();
const { rules } = workerData as { readonly rules: ChainRules };
connectWorker<SignatureWorkerVocabulary, Record<never, never>>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    check: ({ raws, keys }) => packSenders(countSenders(() => checkSenders(unpackBytes(raws), keys))),
    checkBatch: (check) => countBatch(check.believes, () => checkBatch(rules, check)),
    verify: ({ schemeId, statements }) =>
      countStatements(() => checkStatements(schemeId, unpackBytes(statements))),
  },
);
