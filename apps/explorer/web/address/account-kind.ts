/** What stands at an address, by its code. */
export type AccountKind = "plain" | "contract" | "delegated" | "keyed";

/** Source: EIP-7702, the delegation designator. */
const DELEGATION = /^0xef0100([0-9a-f]{40})$/;
/** Accounts with keys of their own delegate to this system contract, whose address says "keyacct". */
const KEYED_ACCOUNT = "6b657961636374".padStart(40, "0");

/** @param code hex digits with 0x; undefined while it is not known. */
export function accountKind(code: string | undefined): AccountKind {
  if (code === undefined || code === "0x") return "plain";
  const delegate = DELEGATION.exec(code)?.[1];
  if (delegate === undefined) return "contract";
  return delegate === KEYED_ACCOUNT ? "keyed" : "delegated";
}

/** The contract whose code acts for an account. */
export function delegateOf(code: string): string | undefined {
  const delegate = DELEGATION.exec(code)?.[1];
  return delegate === undefined ? undefined : `0x${delegate}`;
}
