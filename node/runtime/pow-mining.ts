import type { Address } from "@ostrom/base";
import {
  headerBytes,
  type Mine,
  type PowBlock,
  type PowConfig,
  type PowHeader,
  payloadHash,
  workOfTarget,
} from "@ostrom/consensus";
import { EMPTY_PAYLOAD, encodePayload, type PowGenesis } from "@ostrom/execution";
import type { MiningReport } from "@ostrom/rpc";
import type { TransactionPool } from "@ostrom/txpool";
import type { Clock } from "./ports.ts";
import type { Miner } from "./pow-miner.ts";

/** How long transactions that came may wait for others until a new block is begun with them. */
const POOL_DELAY_MS = 100;
/** A block that nobody found for so long is begun anew: its time would be too far behind. */
const RENEW_INTERVAL_MS = 1_000;

export type PowMiningPorts = {
  readonly genesis: PowGenesis;
  readonly config: PowConfig;
  readonly clock: Clock;
  readonly miner: Miner;
  readonly coinbase: Address;
  readonly pool: TransactionPool;
  /** Of the next block. */
  readonly baseFee: () => bigint;
  /** Asks the engine for a new template. */
  readonly renew: () => void;
  readonly mined: (block: PowBlock) => void;
};

/** Makes blocks to search: what the engine wants built on, filled from the pool, handed to the miner. */
export class PowMining {
  readonly #ports: PowMiningPorts;
  #target: bigint;
  #isMining = false;
  #cancelRenewal: () => void = () => undefined;
  #poolRenewalIsDue = false;

  constructor(ports: PowMiningPorts) {
    this.#ports = ports;
    this.#target = ports.config.initialTarget;
  }

  mine(template: Mine): void {
    const { miner, config } = this.#ports;
    const block = this.#fill(template);
    this.#target = template.target;
    this.#isMining = true;
    const job = {
      hash: config.domain.workHash.name,
      header: headerBytes(config.domain, block.header),
      target: template.target,
    };
    miner.search(job, (nonce) => this.#ports.mined({ ...block, header: { ...block.header, nonce } }));
    this.#renewAfter(RENEW_INTERVAL_MS);
  }

  pause(): void {
    this.#isMining = false;
    this.#cancelRenewal();
    this.#ports.miner.pause();
  }

  /** Transactions came. */
  poolChanged(): void {
    if (!this.#isMining || this.#poolRenewalIsDue) return;
    this.#renewAfter(POOL_DELAY_MS);
    this.#poolRenewalIsDue = true;
  }

  report(): MiningReport {
    return {
      isMining: this.#isMining && this.#ports.miner.hashesPerSecond() > 0,
      hashesPerSecond: this.#ports.miner.hashesPerSecond(),
      difficulty: workOfTarget(this.#target),
    };
  }

  stop(): void {
    this.pause();
  }

  #renewAfter(delayMs: number): void {
    this.#cancelRenewal();
    this.#poolRenewalIsDue = false;
    this.#cancelRenewal = this.#ports.clock.after(delayMs, () => {
      this.#poolRenewalIsDue = false;
      this.#ports.renew();
    });
  }

  #fill({ parent, parentExecutedHash, height, target, earliestTimestampMs }: Mine): PowBlock {
    const { genesis, config, clock, pool, baseFee, coinbase } = this.#ports;
    const chosen = pool.select({
      gasLimit: genesis.rules.blockGasLimit,
      maxBytes: config.maxPayloadBytes,
      baseFeePerGas: baseFee(),
      ancestors: [],
    });
    const payload = chosen.length === 0 ? EMPTY_PAYLOAD : encodePayload(chosen.map(({ raw }) => raw));
    const header: PowHeader = {
      parent: parent.id,
      height,
      timestampMs: Math.max(clock.nowMs(), earliestTimestampMs),
      target,
      payloadHash: payloadHash(config.domain, payload),
      parentExecutedHash,
      miner: coinbase,
      nonce: 0n,
    };
    return { header, payload };
  }
}
