import { toHex } from "@ostrom/base";
import { validatorSetHash } from "@ostrom/consensus";
import { addressOfSecretKey, formatGenesis } from "@ostrom/execution";
import { consensusSet } from "@ostrom/runtime";
import { formatCheckpoint } from "../checkpoint.ts";
import { type EpochChain, makeEpochChain } from "./epoch-chain.ts";
import type { ForgedWorld } from "./forgeries.ts";
import { clientKey, storedSetOf } from "./keys.ts";

const START_MS = 1_800_000_000_000;
const INTERVAL_MS = 1_000;
const EPOCHS = 8;
const EPOCH_LENGTH = 12;
const EPOCH_LEAD = 4;

export type ServedWorld = {
  readonly world: ForgedWorld;
  readonly chain: EpochChain;
  readonly other: EpochChain;
  readonly stop: () => Promise<void>;
};

/** Two chains of the same validators behind real servers. */
export async function serveForgedWorld(): Promise<ServedWorld> {
  const shared = {
    epochLength: EPOCH_LENGTH,
    epochLead: EPOCH_LEAD,
    timestampMs: START_MS,
    intervalMs: INTERVAL_MS,
    // Some heights have no certificate of their own.
    isCertified: (height: number) => height % 5 !== 0,
  };
  const chain = await makeEpochChain({ ...shared, epochs: EPOCHS });
  const other = await makeEpochChain({ ...shared, epochs: EPOCHS, chainId: 4_243n });
  const served = await chain.serve();
  const otherServed = await other.serve();
  return {
    world: {
      url: served.url,
      otherUrl: otherServed.url,
      genesis: formatGenesis(chain.genesis),
      otherGenesis: formatGenesis(other.genesis),
      nowMs: START_MS + (chain.height + 5) * INTERVAL_MS,
      height: chain.height,
      epochLength: EPOCH_LENGTH,
      epochLead: EPOCH_LEAD,
      checkpoint: checkpointAt(chain, (EPOCHS - 3) * EPOCH_LENGTH + 6),
      otherCheckpoint: checkpointAt(other, (EPOCHS - 3) * EPOCH_LENGTH + 6),
      till: toHex(chain.till),
      teller: toHex(chain.teller),
      accounts: [0, 1, 2, 3].map((index) => toHex(addressOfSecretKey(clientKey(index)))),
      transactionHashes: chain.transactionHashes.map(toHex),
    },
    chain,
    other,
    stop: async () => {
      await served.stop();
      await otherServed.stop();
    },
  };
}

/** A checkpoint that the test itself vouches for. */
export function checkpointAt(chain: EpochChain, height: number): string {
  const epoch = Math.floor((height - 1) / chain.genesis.epochLength);
  return formatCheckpoint({
    genesisHash: chain.domain.genesisHash,
    height,
    hash: chain.hashAt(height),
    setHash: validatorSetHash(chain.domain, consensusSet(storedSetOf(epoch), epoch)),
  });
}
