import type { Height } from "@ostrom/base";
import type {
  ConsensusDomain,
  Executed,
  Message,
  SignedExecuted,
  StateCertificate,
  ValidatorIndex,
  ValidatorSet,
} from "../types.ts";

export type CertificationConfig = {
  /** Of the set's scheme (`domainOfSet`). */
  readonly domain: ConsensusDomain;
  readonly validators: ValidatorSet;
  /** Sets of earlier epochs, whose certificates may still arrive. */
  readonly earlierValidators: readonly ValidatorSet[];
  /** undefined: this node follows and never signs. */
  readonly own: ValidatorIndex | undefined;
  /** Height of the last block that this set signs. */
  readonly lastHeight: Height;
  /** While its newest result stays uncertified, a node repeats its vote and asks for a certificate this often. */
  readonly resendMs: number;
};

export type CertificationInput =
  /** This node has durably executed a finalized block. In height order, each height once. */
  | { readonly kind: "executed"; readonly executed: Executed }
  /** Answers `sign`. */
  | { readonly kind: "signed"; readonly vote: SignedExecuted }
  /** Messages of other kinds than certification's are ignored. */
  | { readonly kind: "message"; readonly from: ValidatorIndex; readonly message: Message }
  /** A certificate that came in a block, a snapshot or from the store. It is verified. */
  | { readonly kind: "certificate"; readonly certificate: StateCertificate }
  | { readonly kind: "timer" };

/** What the runtime must do, in this order. */
export type CertificationEffect =
  /** Sign executedSigningBytes(domain, executed) unless another hash was ever signed for its height, record it, sync,
   * then input `signed`. Do not send. */
  | { readonly kind: "sign"; readonly executed: Executed }
  | { readonly kind: "broadcast"; readonly message: Message }
  | { readonly kind: "send"; readonly to: ValidatorIndex; readonly message: Message }
  /** A new newest state certificate, strictly higher than the last; never above what this node has executed, and equal
   * to its own result. Store it; `safe` and `finalized` are its height. */
  | { readonly kind: "certified"; readonly certificate: StateCertificate }
  /** The quorum's result is not ours: stop signing and serving, and say so. Nothing else comes after it. */
  | { readonly kind: "diverged"; readonly own: Executed; readonly certificate: StateCertificate }
  /** One timer; setting it replaces it. */
  | { readonly kind: "setTimer"; readonly delayMs: number }
  | { readonly kind: "cancelTimer" }
  /** Two verified results of one validator for one height. */
  | { readonly kind: "evidence"; readonly first: SignedExecuted; readonly second: SignedExecuted }
  | {
      readonly kind: "fault";
      readonly peer: ValidatorIndex;
      readonly code: CertificationFaultCode;
      readonly message: string;
    };

export type CertificationFaultCode =
  | "certification/wrong-sender"
  | "certification/wrong-epoch"
  | "certification/bad-signature"
  | "certification/bad-certificate";

/** Results and votes are kept for heights this far from the newest executed one, above the newest certificate. */
export const CERTIFICATION_WINDOW = 256;
