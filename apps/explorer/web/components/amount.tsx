import { formatUnits, groupDigits } from "../data/quantity.ts";

const SHOWN_FRACTION = 6;

type AmountProps = {
  /** In the smallest unit; a quantity of JSON-RPC or a decimal text is read too. */
  readonly value: bigint | string;
  readonly decimals?: number;
  readonly symbol?: string | undefined;
  /** All digits rather than six after the point. */
  readonly exact?: boolean;
};

/** An amount of coins or tokens, exact on hover; what is too small for six digits shows as such. */
export function Amount({ value, decimals = 18, symbol, exact = false }: AmountProps) {
  const whole = groupDigits(formatUnits(BigInt(value), decimals));
  const shown = exact ? whole : cutFraction(whole);
  return (
    <span title={symbol === undefined ? whole : `${whole} ${symbol}`}>
      {shown}
      {symbol === undefined ? null : <span className="muted"> {symbol}</span>}
    </span>
  );
}

function cutFraction(decimal: string): string {
  const [whole = "", fraction = ""] = decimal.split(".");
  if (fraction.length <= SHOWN_FRACTION) return decimal;
  const cut = fraction.slice(0, SHOWN_FRACTION).replace(/0+$/, "");
  if (cut !== "") return `${whole}.${cut}`;
  return whole === "0" || whole === "-0" ? `<0.${"0".repeat(SHOWN_FRACTION - 1)}1` : whole;
}
