const SHORT_STRING = 0x80;
const LONG_STRING = 0xb8;
const SHORT_LIST = 0xc0;
const LONG_LIST = 0xf8;

/** Items of a list without lists in it, as hex digits without 0x: headers, certificates. Only for display.
 * @throws RangeError if the bytes are no such list. Source: Ethereum's Yellow Paper, appendix B. */
export function splitFlatList(rlp: string): readonly string[] {
  const hex = rlp.slice(2);
  const byteAt = (index: number): number => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16);
  const first = byteAt(0);
  if (!(first >= SHORT_LIST)) throw new RangeError("no list");
  const end = hex.length / 2;
  let position = first >= LONG_LIST ? 1 + first - LONG_LIST + 1 : 1;
  const items: string[] = [];
  while (position < end) {
    const tag = byteAt(position);
    if (tag < SHORT_STRING) {
      items.push(hex.slice(position * 2, position * 2 + 2));
      position++;
      continue;
    }
    if (tag >= SHORT_LIST) throw new RangeError("a list in the list");
    const lengthBytes = tag >= LONG_STRING ? tag - LONG_STRING + 1 : 0;
    const lengthHex = hex.slice((position + 1) * 2, (position + 1 + lengthBytes) * 2);
    const length = lengthBytes === 0 ? tag - SHORT_STRING : Number.parseInt(lengthHex, 16);
    const start = position + 1 + lengthBytes;
    if (!(start + length <= end)) throw new RangeError("an item ends behind its list");
    items.push(hex.slice(start * 2, (start + length) * 2));
    position = start + length;
  }
  return items;
}
