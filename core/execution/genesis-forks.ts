import { FORKS } from "@ostrom/vm";
import { inconsistent, type Place, readChoice, readCount, readList, readObject } from "./json-reader.ts";
import type { ChainRules } from "./types.ts";

/** No chain begins, and no rule set holds, from later. */
export const MAX_TIME_MS: number = 2 ** 43;

/** Reads `forks`: rule sets and the times, in whole seconds, from which they hold; the first from 0. */
export function readForks(place: Place): ChainRules["forks"] {
  const entries = readList(place);
  if (entries.length === 0) throw inconsistent(place, "must name at least one rule set, from timestamp 0");
  let previous = { order: -1, from: -1 };
  return entries.map((entry, index) => {
    const fields = readObject(entry, ["fork", "fromTimestamp"]);
    const fork = readChoice(fields.fork, FORKS);
    const fromTimestamp = readCount(fields.fromTimestamp, 0, Math.floor(MAX_TIME_MS / 1000));
    if (index === 0 && fromTimestamp !== 0)
      throw inconsistent(fields.fromTimestamp, "the first must hold from 0");
    const order = FORKS.indexOf(fork);
    if (order <= previous.order || fromTimestamp <= previous.from) {
      throw inconsistent(
        entry,
        `rule sets must follow each other in time and in the order ${FORKS.join(", ")}`,
      );
    }
    previous = { order, from: fromTimestamp };
    return { fork, fromTimestamp };
  });
}
