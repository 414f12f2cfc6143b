export { ACTOR_NAMES, type ActorName } from "./actors.ts";
export { type CampaignOptions, MIN_HEIGHTS, runCampaign, type SeedReport } from "./campaign.ts";
export { FAULT_NAMES, type FaultName } from "./faults.ts";
export type { InvariantName, Violation } from "./invariants.ts";
export type { LatencyName } from "./latency.ts";
export { type Measurement, type MeasurementOptions, measureConsensus } from "./measurement.ts";
export { SimulatedNetwork } from "./network.ts";
export type { NetworkOptions } from "./network-options.ts";
