import type { SimulatedClock } from "./clock.ts";
import { type LinkConditions, PERFECT_LINKS, SimulatedLinks } from "./links.ts";
import type { SimulatedMachine } from "./machine.ts";
import type { NetworkOptions } from "./network-options.ts";
import { randomFor } from "./random.ts";
import type { Trace } from "./trace.ts";

const USUAL_LATENCY_MS = 3;
const USUAL_JITTER_MS = 8;

/** The links of a network's machines; what they do is traced and counted. */
export function linksOfNetwork(
  network: {
    readonly seed: number;
    readonly clock: SimulatedClock;
    readonly machines: readonly SimulatedMachine[];
    readonly trace: Trace;
    readonly strike: (fault: string) => void;
  },
  options: NetworkOptions,
): SimulatedLinks {
  const { seed, clock, machines, trace } = network;
  const links = new SimulatedLinks({
    clock,
    random: randomFor(seed, "links"),
    ends: machines,
    latencyMs: options.latencyMs ?? (() => USUAL_LATENCY_MS),
    watch: {
      arrived: ({ from, to, fingerprint }) => trace.count(from, to, fingerprint),
      lost: (_, why) => network.strike(`frames lost (${why})`),
      duplicated: () => network.strike("frames duplicated"),
    },
  });
  const conditions: LinkConditions = { ...PERFECT_LINKS, jitterMs: USUAL_JITTER_MS, ...options.conditions };
  links.condition(() => conditions);
  return links;
}
