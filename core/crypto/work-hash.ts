import { scrypt } from "@noble/hashes/scrypt.js";
import type { Bytes } from "@ostrom/base";
import { sha256, sm3 } from "./engine.ts";

/** The functions that proof of work may be made of, beside SHA-256 and SM3, which have a slot among the hashes. */
export type WorkHashEngine = {
  readonly name: string;
  /** scrypt (RFC 7914) of the data as password and as salt, with WORK_SCRYPT's parameters; 32 bytes. */
  readonly scrypt: (data: Bytes) => Bytes;
};

/** The memory-hard choice takes 128 KiB a hash: more than a small circuit has near it, so that machines made for the purpose gain less
 * over common ones; and it is checked in a millisecond in plain code, so that a flood of false headers costs those who check
 * them little. More memory would turn that round. The same parameters have served Litecoin and Dogecoin since 2011: machines for
 * them exist, so this slows specialization and does not prevent it. */
export const WORK_SCRYPT: {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly dkLen: number;
} = { N: 1024, r: 1, p: 1, dkLen: 32 };

/** Plain and slow: what every other engine is compared with. */
export const REFERENCE_WORK_HASHES: WorkHashEngine = {
  name: "noble",
  scrypt: (data) => scrypt(data, data, WORK_SCRYPT),
};

let engine: WorkHashEngine = REFERENCE_WORK_HASHES;

/** Puts a faster implementation into the slot, once, when a process or worker starts. */
export function installWorkHashes(replacement: WorkHashEngine): void {
  engine = replacement;
}

export type WorkHashName = "sha256" | "sm3" | "scrypt";

/** The work function of that name, by whatever engine sits in its slot when it is called. */
export function workHash(name: WorkHashName): (data: Bytes) => Bytes {
  switch (name) {
    case "sha256":
      return sha256;
    case "sm3":
      return sm3;
    case "scrypt":
      return (data) => engine.scrypt(data);
    default:
      return name satisfies never;
  }
}
