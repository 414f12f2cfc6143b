import type { Address } from "@ostrom/base";
import { type Log, StateOverlay } from "@ostrom/state";
import type { StateWatcher } from "./tracer.ts";

/** A state whose accesses can be watched: all that costs gas to reach becomes warm first (EIP-2929). */
export class ObservedState extends StateOverlay {
  watcher: StateWatcher | undefined;

  override warmAddress(address: Address): boolean {
    this.watcher?.onAddress?.(address);
    return super.warmAddress(address);
  }

  override warmSlot(address: Address, slot: bigint): boolean {
    this.watcher?.onSlot?.(address, slot);
    return super.warmSlot(address, slot);
  }

  override addLog(log: Log): void {
    super.addLog(log);
    this.watcher?.onLog?.(log, this.logs().length);
  }
}
