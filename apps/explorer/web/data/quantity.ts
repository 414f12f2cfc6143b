/** A quantity of JSON-RPC (`0x1a`) as a number. Only for what is surely below 2^53: heights, gas, counts, seconds. */
export function toNumber(quantity: string): number {
  return Number.parseInt(quantity, 16);
}

/** A number as a quantity of JSON-RPC. */
export function toQuantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

const WEI_DIGITS = 18;

/** An amount in its smallest unit, exactly: 1500000000000000000 -> "1.5".
 * @param digits after the decimal point in one whole. */
export function formatUnits(amount: bigint, digits: number = WEI_DIGITS): string {
  const text = (amount < 0n ? -amount : amount).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const fraction = text.slice(text.length - digits).replace(/0+$/, "");
  return `${amount < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Thousands apart, in the digits of an exact decimal text: "1234.5" -> "1,234.5". */
export function groupDigits(decimal: string): string {
  const [whole = "", fraction] = decimal.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `0x1234…abcd`: the first and last digits of a hash or an address. */
export function shorten(hex: string, first = 6, last = 4): string {
  const shown = 2 + first + last;
  return hex.length <= shown + 1 ? hex : `${hex.slice(0, 2 + first)}…${hex.slice(-last)}`;
}
