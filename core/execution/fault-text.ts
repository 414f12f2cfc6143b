import { type FaultCode, MAX_CODE_SIZE, MAX_INIT_CODE_SIZE } from "@ostrom/vm";

/** Faults in the words that geth has for them, which clients and their users know. */
const TEXTS: Readonly<Record<FaultCode, string>> = {
  "vm/out-of-gas": "out of gas",
  "vm/stack-underflow": "stack underflow",
  "vm/stack-overflow": "stack limit reached 1024",
  "vm/invalid-jump": "invalid jump destination",
  "vm/invalid-opcode": "invalid opcode",
  "vm/static-violation": "write protection",
  "vm/return-data-out-of-bounds": "return data out of bounds",
  "vm/create-collision": "contract address collision",
  "vm/code-too-large": `max code size exceeded: limit ${MAX_CODE_SIZE}`,
  "vm/init-code-too-large": `max initcode size exceeded: limit ${MAX_INIT_CODE_SIZE}`,
  "vm/code-begins-with-ef": "invalid code: must not begin with 0xef",
  "vm/insufficient-balance": "insufficient balance for transfer",
  "vm/depth-exceeded": "max call depth exceeded",
  "vm/nonce-exhausted": "nonce uint64 overflow",
  "vm/precompile-failed": "precompile failed",
  "vm/trap": "program trapped",
  "vm/invalid-program": "invalid program",
};

/** What a fault is called when it is told to people.
 * @param reason what the engine has to say besides. */
export function describeFault(fault: FaultCode, reason?: string): string {
  return reason === undefined ? TEXTS[fault] : `${TEXTS[fault]}: ${reason}`;
}
