import { Badge } from "../components/badge.tsx";
import { Copy } from "../components/copy.tsx";
import { Address } from "../components/hash.tsx";
import type { Decoded, DecodedValue } from "../data/abi.ts";
import { useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";

/** A call, an event or an error in words, with its values. */
export function DecodedView({ decoded }: { readonly decoded: Decoded }) {
  const t = useText(text);
  return (
    <div className="decoded">
      <div className="row">
        <code className="decoded-name">{decoded.signature}</code>
        <Badge tone={decoded.isVerified ? "good" : "quiet"}>
          {decoded.isVerified ? t("verifiedAbi") : t("knownAbi")}
        </Badge>
      </div>
      {decoded.values.length === 0 ? null : (
        <dl className="decoded-values">
          {decoded.values.map((value, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: parameters have fixed places, and need not have names
            <div key={index}>
              <dt>
                {value.name === "" ? index : value.name} <span className="muted mono">{value.type}</span>
              </dt>
              <dd>
                <Value {...value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function Value({ type, value }: DecodedValue) {
  if (type === "address" && typeof value === "string") return <Address value={value} />;
  const shown = showValue(value);
  return (
    <span className="mono">
      {shown} <Copy text={shown} />
    </span>
  );
}

/** Any value of an ABI as text; whole numbers of any size are written out. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? each.toString() : each));
}
