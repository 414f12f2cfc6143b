/** A map key for a slot. Contracts choose slots: V8 hashes a bigint by its low 64 bits, and a string of few decimal
 * digits by its number, so either would let a contract fill one bucket of a map. The letter makes it a string like any
 * other, hashed with the process's seed. */
export function slotKey(slot: bigint): string {
  return `x${slot.toString(16)}`;
}
