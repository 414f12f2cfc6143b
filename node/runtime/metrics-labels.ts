import type { SkipReason } from "@ostrom/execution";
import type { AdmissionErrorCode, DropReason } from "@ostrom/txpool";

export const SKIP_CODES: readonly SkipReason["code"][] = [
  "execution/nonce-too-high",
  "execution/nonce-too-low",
  "execution/fee-below-base-fee",
  "execution/insufficient-funds",
  "execution/sender-has-code",
  "execution/block-gas-exceeded",
  "execution/not-permitted",
  "execution/not-authorized",
  "execution/outdated",
  "execution/invalid",
];

export const POOL_DROPS: readonly DropReason["code"][] = [
  "txpool/replaced",
  "txpool/evicted",
  "txpool/expired",
  "txpool/nonce-too-low",
  "txpool/insufficient-funds",
  "txpool/not-permitted",
  "txpool/not-authorized",
  "txpool/outdated",
];

export const ADMISSION_CODES: readonly AdmissionErrorCode[] = [
  "txpool/already-known",
  "txpool/too-large",
  "txpool/unprotected",
  "txpool/not-permitted",
  "txpool/not-authorized",
  "txpool/outdated",
  "txpool/underpriced",
  "txpool/replacement-underpriced",
  "txpool/nonce-too-low",
  "txpool/insufficient-funds",
  "txpool/sender-limit",
  "txpool/queue-limit",
  "txpool/full",
  "transaction/wrong-chain-id",
  "transaction/blobs-not-accepted",
  "transaction/type-not-active",
  "transaction/algorithm-not-allowed",
  "transaction/gas-limit-above-block",
  "transaction/gas-limit-above-cap",
  "transaction/init-code-too-large",
  "transaction/intrinsic-gas",
];

/** Of the door of the pool, and of what cannot be read or is not signed. */
export const REFUSAL_CODES: readonly string[] = [
  ...ADMISSION_CODES,
  "txpool/busy",
  "txpool/stopped",
  "transaction/malformed",
  "transaction/unsupported-type",
  "transaction/invalid-signature",
  "transaction/invalid-chain-id",
  "transaction/invalid-keys",
];

export const FAULT_CODES: readonly string[] = [
  "consensus/unreadable-message",
  "consensus/wrong-sender",
  "consensus/wrong-leader",
  "consensus/bad-signature",
  "consensus/bad-certificate",
  "consensus/bad-block",
  "consensus/bad-segment",
  "consensus/notarized-invalid",
  "consensus/equivocation",
  "certification/wrong-sender",
  "certification/bad-signature",
  "certification/bad-certificate",
  "network/over-quota",
];

export const PUNISHED: readonly string[] = [
  ...FAULT_CODES,
  "gossip/junk",
  "gossip/malformed",
  "gossip/too-many-transactions",
  "gossip/transaction-too-long",
  "gossip/unknown-format",
  "network/unknown-channel",
  "network/frame-too-long",
  "network/bad-greeting",
];

export const DOWN_REASONS: readonly string[] = [
  "network/closed-by-peer",
  "network/broken",
  "network/idle",
  "network/stalled",
  "network/replaced",
  "network/not-allowed",
  "network/no-place",
  "network/certificate-expired",
  "network/authority-expired",
  "network/stopped",
];

export const CHANNELS: readonly string[] = ["consensus", "sync", "transactions", "batches"];

export const RPC_CODES: readonly string[] = [
  "-32700",
  "-32600",
  "-32601",
  "-32602",
  "-32603",
  "-32000",
  "-32002",
  "-32005",
  "3",
  "4",
  "5",
  "4100",
  "4444",
];

/** What a node must be to be called ready, in the order in which its answer names it. */
export const READY_CONDITIONS = ["started", "synced", "linked", "disk", "modules"] as const;
export type ReadyCondition = (typeof READY_CONDITIONS)[number];
