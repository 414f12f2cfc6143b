import { type Address, addressFromHex } from "@ostrom/base";

/** The contract that says which modules a chain uses (module-registry.ts). */
export const MODULE_REGISTRY_ADDRESS: Address = addressFromHex("00000000000000000000000000000000004d0d01");
/** Where modules have their contracts. */
export const MEMBERSHIP_ADDRESS: Address = addressFromHex("00000000000000000000000000000000004d0d02");
export const STAKING_ADDRESS: Address = addressFromHex("00000000000000000000000000000000004d0d03");
/** Precompiles of modules. */
export const ECVRF_VERIFY_ADDRESS: Address = addressFromHex("00000000000000000000000000000000004d0d10");
export const EVIDENCE_VERIFY_ADDRESS: Address = addressFromHex("00000000000000000000000000000000004d0d11");
export const POSSESSION_VERIFY_ADDRESS: Address = addressFromHex("00000000000000000000000000000000004d0d12");

/** The module whose validators are drawn by ECVRF (RFC 9381), over an elliptic curve. */
export const SORTITION_MODULE = "staking";
