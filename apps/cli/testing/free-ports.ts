import { randomInt } from "node:crypto";
import { findPortProblem } from "../ports.ts";

/** Below the range from which systems give ports to outgoing connections (32768 on, Linux): what listens here is never in the
 * way of one of those while it is restarted, and no dialer of a closed port connects to itself. */
const LOWEST = 12_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;
/** Test files that run at the same time take ports from different parts. The runner numbers its workers from 1. */
const PARTS = 8;
const PART_PORTS = (HIGHEST - LOWEST) / PARTS;
const lowest: number = LOWEST + (Number(process.env["NODE_TEST_WORKER_ID"] ?? 0) % PARTS) * PART_PORTS;

/** First ports of `ranges` ranges of `count` consecutive ports each that nobody listens on. They follow one another. */
export async function findFreePorts(count: number, ranges: number): Promise<readonly number[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = randomInt(lowest, lowest + PART_PORTS - count * ranges);
    const ports = Array.from({ length: count * ranges }, (_, index) => first + index);
    if ((await findPortProblem(ports)) !== undefined) continue;
    return Array.from({ length: ranges }, (_, index) => first + index * count);
  }
  throw new Error(`found no ${count * ranges} free ports in a row`);
}
