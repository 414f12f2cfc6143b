/** An account as geth's prestateTracer answers it. */
type TracedAccount = {
  readonly balance?: string;
  readonly nonce?: number;
  readonly code?: string;
  readonly storage?: Readonly<Record<string, string>>;
};

/** Answer of the prestateTracer with `diffMode`. */
export type StateTrace = {
  readonly pre: Readonly<Record<string, TracedAccount>>;
  readonly post: Readonly<Record<string, TracedAccount>>;
};

/** One value before and after; `undefined`: it was not there. */
export type Change<Value> = { readonly before: Value | undefined; readonly after: Value | undefined };

export type AccountChange = {
  readonly address: string;
  /** It was not there before, or is not there any more. */
  readonly kind: "created" | "deleted" | "changed";
  readonly balance: Change<bigint> | undefined;
  readonly nonce: Change<number> | undefined;
  readonly code: Change<string> | undefined;
  readonly storage: readonly { readonly slot: string; readonly before: string; readonly after: string }[];
};

const ZERO_WORD = `0x${"0".repeat(64)}`;

/** What a transaction changed, account by account. In `post` stands only what changed; in `pre` all of what was touched. */
export function stateDifference({ pre, post }: StateTrace): readonly AccountChange[] {
  const addresses = [...new Set([...Object.keys(pre), ...Object.keys(post)])].sort();
  return addresses.map((address) => accountChange(address, pre[address], post[address]));
}

function accountChange(
  address: string,
  before: TracedAccount | undefined,
  after: TracedAccount | undefined,
): AccountChange {
  const slots = new Set([...Object.keys(before?.storage ?? {}), ...Object.keys(after?.storage ?? {})]);
  const change = kindOf(before, after);
  return {
    address,
    kind: change,
    balance: fieldChange(change, toBigInt(before?.balance), toBigInt(after?.balance)),
    nonce: fieldChange(change, before?.nonce, after?.nonce),
    code: fieldChange(change, before?.code, after?.code),
    storage: [...slots].sort().map((slot) => ({
      slot,
      // A slot that is missing on one side holds zero there.
      before: before?.storage?.[slot] ?? ZERO_WORD,
      after: after?.storage?.[slot] ?? ZERO_WORD,
    })),
  };
}

function kindOf(before: TracedAccount | undefined, after: TracedAccount | undefined): AccountChange["kind"] {
  if (after === undefined) return "deleted";
  const wasEmpty =
    before === undefined ||
    ((toBigInt(before.balance) ?? 0n) + BigInt(before.nonce ?? 0) === 0n && before.code === undefined);
  return wasEmpty ? "created" : "changed";
}

/** What is missing after a change has not changed; what is missing of a deleted account is gone. */
function fieldChange<Value>(
  kind: AccountChange["kind"],
  before: Value | undefined,
  after: Value | undefined,
): Change<Value> | undefined {
  if (kind === "deleted") return before === undefined ? undefined : { before, after: undefined };
  return after === undefined || after === before ? undefined : { before, after };
}

function toBigInt(quantity: string | undefined): bigint | undefined {
  return quantity === undefined ? undefined : BigInt(quantity);
}
