import { parentPort, workerData } from "node:worker_threads";
import { must } from "@ostrom/base";
import type { Fork } from "@ostrom/vm";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { runStateTestFile } from "./state-tests.ts";

/** Runs the files whose paths it is sent, one after the other, and answers each with its report. */
const port = must(parentPort ?? undefined, "this file must run in a worker thread");
const { forks } = workerData as { readonly forks: readonly Fork[] };

installNativeCrypto();
port.on("message", (path: string) => port.postMessage(runStateTestFile(path, forks)));
