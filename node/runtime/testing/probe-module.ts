import { type Address, addressFromHex, concatBytes, hex, wordToBytes } from "@ostrom/base";
import { type ChainModule, defineModule } from "@ostrom/execution";
import type { ModuleManifest } from "../module-face.ts";

/** A module of a few instructions, in two versions, for tests of how nodes live with modules. */
export const PROBE: Address = addressFromHex("00000000000000000000000000000000000c0de9");

/** Slot 0: whom it forbids to send. Anybody may write there: SSTORE(0, first word of the data). */
const WRITER = hex("600035600055" + "00");

/** The slot of a height holds the version that ran there. */
export function probe(version: 1 | 2): ChainModule {
  return defineModule({
    name: "probe",
    version,
    contracts: [{ address: PROBE, code: concatBytes(WRITER, Uint8Array.of(version)) }],
    permits: (state, { sender }) => {
      const forbidden = state.storage(PROBE, 0n);
      const isForbidden = concatBytes(new Uint8Array(12), sender).every(
        (byte, index) => byte === wordToBytes(forbidden)[index],
      );
      return isForbidden ? { reason: "forbidden" } : undefined;
    },
    beginBlock: ({ state, height }) => state.setStorage(PROBE, BigInt(height), BigInt(version)),
  });
}

/** As a program has it that knows version 1 alone, and one that knows both. */
export const OLD_PROBE: ModuleManifest = manifest("./probe-chain-1.ts");
export const NEW_PROBE: ModuleManifest = manifest("./probe-chain-2.ts");

function manifest(chain: string): ModuleManifest {
  return {
    name: "probe",
    summary: "shows how a program lives with modules",
    chain: new URL(chain, import.meta.url).href,
    service: new URL("./probe-service.ts", import.meta.url).href,
  };
}
