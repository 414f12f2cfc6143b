const HASH = /^0x[0-9a-f]{64}$/i;
const ADDRESS = /^0x[0-9a-f]{40}$/i;
const HEIGHT = /^\d{1,15}$/;

/** Where a query leads without asking anybody: heights and addresses say themselves what they are. `undefined`: ask. */
export function directTarget(query: string): string | undefined {
  const wanted = query.trim().replaceAll(",", "");
  if (HEIGHT.test(wanted)) return `/block/${Number(wanted)}`;
  if (ADDRESS.test(wanted)) return `/address/${wanted.toLowerCase()}`;
  return undefined;
}

/** Whether a query is a hash, of a transaction or a block. */
export function isHash(query: string): boolean {
  return HASH.test(query.trim());
}
