import { type CheapClient, callOnce } from "./cheap-http.ts";
import { quantile } from "./quantile.ts";

const READ_INTERVAL_MS = 20;

export type ReadTimes = { readonly reads: number; readonly readP50Ms: number; readonly readP99Ms: number };

/** One eth_getBalance after the other, with pauses, as a user's wallet asks. @throws if one is not answered. */
export async function readBalances(
  client: CheapClient,
  url: string,
  address: string,
  deadline: number,
): Promise<ReadTimes> {
  const times: number[] = [];
  for (let at = performance.now(); at < deadline; at = performance.now()) {
    await callOnce<string>(client, url, "eth_getBalance", [address, "latest"]);
    times.push(performance.now() - at);
    await new Promise((resolve) => setTimeout(resolve, READ_INTERVAL_MS));
  }
  return {
    reads: times.length,
    readP50Ms: Number(quantile(times, 0.5).toFixed(1)),
    readP99Ms: Number(quantile(times, 0.99).toFixed(1)),
  };
}
