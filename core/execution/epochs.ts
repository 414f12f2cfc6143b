/** How heights fall into epochs: `epochLength` blocks each, and the set of the next epoch is read `epochLead` blocks before an
 * epoch's last one. Source: protocol notes ("Epochs"). */
export type EpochSchedule = { readonly epochLength: number; readonly epochLead: number };

/** The epoch of a block: epoch E holds the heights E * length + 1 to (E + 1) * length. Genesis counts to the first. */
export function epochOfHeight(schedule: EpochSchedule, height: number): number {
  return height === 0 ? 0 : Math.floor((height - 1) / schedule.epochLength);
}

/** Height of an epoch's last block. */
export function lastHeight(schedule: EpochSchedule, epoch: number): number {
  return (epoch + 1) * schedule.epochLength;
}

/** Height of the block whose state holds the set of the next epoch. */
export function frozenHeight(schedule: EpochSchedule, epoch: number): number {
  return lastHeight(schedule, epoch) - schedule.epochLead;
}

/** Long enough for results to be certified while blocks go on. */
const DEFAULT_EPOCH_LEAD = 32;

/** The lead of a chain whose genesis asks for none. @param epochLength 2 or more. */
export function defaultEpochLead(epochLength: number): number {
  return epochLength > 2 * DEFAULT_EPOCH_LEAD ? DEFAULT_EPOCH_LEAD : Math.floor(epochLength / 2);
}
