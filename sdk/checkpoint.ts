import { type Hash, toHexDigits } from "@ostrom/base";
import { attemptNow, type LightResult, refuse } from "./failure.ts";
import { readHash } from "./read-json.ts";

/** A block that somebody trusts, and who validated when it was made. Whoever starts from it trusts where it came from, and nothing
 * else: print it, exchange it by hand, publish it in several places. */
export type Checkpoint = {
  readonly genesisHash: Hash;
  readonly height: number;
  readonly hash: Hash;
  /** `validatorSetHash` of the set of the block's epoch. */
  readonly setHash: Hash;
};

const PREFIX = "ostrom-checkpoint-1";
const PATTERN = /^ostrom-checkpoint-1:([0-9a-f]{64}):(0|[1-9][0-9]{0,15}):([0-9a-f]{64}):([0-9a-f]{64})$/;

/** One line of text: `ostrom-checkpoint-1:<genesis hash>:<height>:<block hash>:<set hash>`. */
export function formatCheckpoint({ genesisHash, height, hash, setHash }: Checkpoint): string {
  return [PREFIX, toHexDigits(genesisHash), height, toHexDigits(hash), toHexDigits(setHash)].join(":");
}

/** Reads what `formatCheckpoint` wrote. Errors: `light/checkpoint-malformed`. */
export function parseCheckpoint(text: string): LightResult<Checkpoint> {
  return attemptNow(() => {
    const match = PATTERN.exec(text.trim());
    const height = Number(match?.[2]);
    if (match === null || !Number.isSafeInteger(height)) {
      return refuse("light/checkpoint-malformed", `expected ${PREFIX}:<genesis>:<height>:<block>:<set>`);
    }
    const hashAt = (index: number): Hash => readHash(`0x${match[index]}`, "checkpoint");
    return { genesisHash: hashAt(1), height, hash: hashAt(3), setHash: hashAt(4) };
  });
}
