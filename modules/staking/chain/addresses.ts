import type { Address } from "@ostrom/base";
import { ECVRF_VERIFY_ADDRESS, EVIDENCE_VERIFY_ADDRESS, POSSESSION_VERIFY_ADDRESS } from "@ostrom/execution";

/** publicKey (33) || proof (81) || alpha (32) -> output (32). */
export const VRF_PRECOMPILE_ADDRESS: Address = ECVRF_VERIFY_ADDRESS;

/** consensusKey (48) || genesisHash (32) || evidence -> abi (uint64 epoch, uint8 kind, uint64 heightOrView). */
export const EVIDENCE_PRECOMPILE_ADDRESS: Address = EVIDENCE_VERIFY_ADDRESS;

/** consensusKey (48) || proof (96) -> 1. */
export const POSSESSION_PRECOMPILE_ADDRESS: Address = POSSESSION_VERIFY_ADDRESS;
