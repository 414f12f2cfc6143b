import { parentPort } from "node:worker_threads";
import { must } from "@ostrom/base";
import { installNativeCrypto } from "./native-crypto.ts";
import { unpackBytes } from "./packed-bytes.ts";
import { checkSenders, packSenders, type SignatureWorkerVocabulary } from "./signature-checker.ts";
import { connectWorker } from "./worker-calls.ts";

installNativeCrypto();
connectWorker<SignatureWorkerVocabulary, Record<never, never>>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    check: (raws) => packSenders(checkSenders(unpackBytes(raws))),
  },
);
