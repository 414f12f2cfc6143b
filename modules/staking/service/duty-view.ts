import { type Address, type Bytes, type Hash, ZERO_HASH } from "@ostrom/base";

/** What a validator's service acts on: read from state by `readDuties` (a simulator, the node's JSON-RPC thread). */
export type DutyView = {
  /** Whether staking is active on the chain. All else is empty if not. */
  readonly isActive: boolean;
  /** Number of the newest executed block. */
  readonly height: number;
  /** Epoch under way. */
  readonly epoch: number;
  /** Epoch whose set was decided last: in it validators reveal what they draw for the one after. */
  readonly round: number;
  /** What all keys draw with in this round. */
  readonly input: Hash;
  /** The validator that the asking key belongs to; undefined if the key was never handed in. */
  readonly own: OwnDuties | undefined;
  /** Contradictions that the node has seen, of validators with stake, which can still be reported. */
  readonly reportable: readonly Reportable[];
};

export type OwnDuties = {
  readonly staker: number;
  /** Whether the contract would take its reveal now: it stands, is a candidate with stake in the snapshot, and has not revealed yet. */
  readonly mayReveal: boolean;
};

export type Reportable = {
  readonly staker: number;
  readonly epoch: number;
  readonly consensusKey: Bytes;
  /** As core/consensus encodes it. */
  readonly evidence: Bytes;
  /** Block in which the asking account has announced it; 0: not yet. */
  readonly announcedIn: number;
};

/** Who asks. */
export type Asker = {
  /** Of the validator's random function: 33 bytes; undefined for who only reports. */
  readonly vrfKey: Bytes | undefined;
  /** The account that sends and pays. */
  readonly account: Address;
};

/** Of a chain where staking is not active. */
export const NO_DUTIES: DutyView = {
  isActive: false,
  height: 0,
  epoch: 0,
  round: 0,
  input: ZERO_HASH,
  own: undefined,
  reportable: [],
};
