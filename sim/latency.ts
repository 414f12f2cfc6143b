/** Between which places frames travel. */
export type LatencyName = "wan" | "lan";

/** Cities that host validators, in the order in which they are taken: neighbours in this list are far apart. */
export const REGIONS = [
  "Washington DC",
  "Frankfurt",
  "Tokyo",
  "Sao Paulo",
  "London",
  "Dallas",
  "Sydney",
  "Toronto",
  "Madrid",
  "Osaka",
] as const;

/** Average round trips in milliseconds, 17 August to 15 September 2024, rows and columns as REGIONS. Within a region: between two of its
 * zones. Source: IBM Cloud, VPC documentation, "Network latency dashboards" (ibm-cloud-docs/vpc, network-latency.md). */
const ROUND_TRIPS_MS: readonly (readonly number[])[] = [
  [2, 91, 166, 118, 76, 32, 214, 20, 88, 173],
  [91, 2, 228, 197, 13, 123, 250, 92, 29, 232],
  [166, 231, 2, 284, 242, 143, 115, 162, 257, 9],
  [119, 198, 285, 2, 187, 146, 328, 130, 205, 290],
  [75, 13, 242, 187, 2, 113, 261, 83, 27, 244],
  [31, 123, 143, 145, 113, 2, 185, 34, 117, 150],
  [216, 250, 115, 327, 261, 186, 2, 214, 275, 122],
  [19, 92, 161, 130, 82, 34, 215, 2, 109, 169],
  [90, 29, 256, 207, 27, 121, 275, 109, 2, 259],
  [175, 232, 9, 292, 244, 151, 122, 168, 258, 2],
];

/** One way between two machines of one data centre: a switch and two network stacks. */
const LAN_ONE_WAY_MS = 0.25;

/** One way from one validator to another; validators are spread over the regions in turn. */
export function oneWayMs(name: LatencyName, from: number, to: number): number {
  if (name === "lan") return LAN_ONE_WAY_MS;
  return ROUND_TRIPS_MS[from % REGIONS.length]![to % REGIONS.length]! / 2;
}

/** When each validator of a network without any cost but latency knows that a block is final: the proposal takes one delay, and of the
 * votes of both kinds those of a quorum are waited for. All weigh the same.
 * @param alive those who vote. @returns milliseconds after the proposal left, by validator. */
export function idealFinalityMs(
  latencyMs: (from: number, to: number) => number,
  options: { readonly leader: number; readonly alive: readonly number[]; readonly quorum: number },
): readonly number[] {
  const { leader, alive, quorum } = options;
  const path = (from: number, to: number): number => (from === to ? 0 : latencyMs(from, to));
  const quorumAt = (saidMs: readonly number[]): readonly number[] =>
    alive.map((to) => {
      const arrivals = alive.map((from, index) => saidMs[index]! + path(from, to));
      return arrivals.sort((a, b) => a - b)[quorum - 1]!;
    });
  const proposed = alive.map((to) => path(leader, to));
  return quorumAt(quorumAt(proposed));
}
