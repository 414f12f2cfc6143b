import { parentPort } from "node:worker_threads";
import { must } from "@ostrom/base";
import { installNativeCrypto } from "./native-crypto.ts";
import { unpackBytes } from "./packed-bytes.ts";
import {
  checkSenders,
  checkStatements,
  packSenders,
  type SignatureWorkerVocabulary,
} from "./signature-checker.ts";
import { connectWorker } from "./worker-calls.ts";

installNativeCrypto();
connectWorker<SignatureWorkerVocabulary, Record<never, never>>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    check: ({ raws, keys }) => packSenders(checkSenders(unpackBytes(raws), keys)),
    verify: ({ schemeId, statements }) => checkStatements(schemeId, unpackBytes(statements)),
  },
);
