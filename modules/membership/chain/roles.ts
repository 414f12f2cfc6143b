/** What an organisation lets an account do, in the order of their bits in the contract.
 * - sender: send transactions.
 * - deployer: send transactions that create contracts.
 * - operator, auditor: nothing on the chain; nodes give them access by it (node/rpc). */
export const ROLES = ["sender", "deployer", "operator", "auditor"] as const;

export type Role = (typeof ROLES)[number];

/** As the contract takes them. */
export function rolesToBits(roles: readonly Role[]): number {
  return ROLES.reduce((bits, role, index) => (roles.includes(role) ? bits | (1 << index) : bits), 0);
}

/** Bits beyond those of `ROLES` count for nothing. */
export function rolesFromBits(bits: number): readonly Role[] {
  return ROLES.filter((_, index) => ((bits >> index) & 1) === 1);
}
