import { Amount } from "../components/amount.tsx";
import { Address, BlockLink, Hash } from "../components/hash.tsx";
import { KeyValue, KeyValues } from "../components/key-values.tsx";
import { Card } from "../components/page.tsx";
import { Time } from "../components/time.tsx";
import { Method } from "../components/transaction-table.tsx";
import { formatUnits, toNumber } from "../data/quantity.ts";
import type { RpcReceipt, RpcTransaction } from "../data/rpc-types.ts";
import { type Text, useFormats, useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import { Prove } from "../prove/prove-button.tsx";
import type { KnownTransaction } from "./read-transaction.ts";

type FactsProps = { readonly transaction: RpcTransaction; readonly known: KnownTransaction };

/** What the transaction says, and what became of it. */
export function Facts({ transaction, known: { receipt, timestamp } }: FactsProps) {
  const t = useText(text);
  const { number } = useFormats();
  const { hash, from, to, value, nonce } = transaction;
  return (
    <Card title={t("facts")} aside={receipt === null ? undefined : <Proofs hash={hash} />} flush>
      <KeyValues>
        <KeyValue name={t("hash")}>
          <Hash value={hash} full />
        </KeyValue>
        {receipt === null ? null : (
          <KeyValue name={t("block")}>
            <BlockLink number={toNumber(receipt.blockNumber)} />{" "}
            <span className="muted">{t("position", { index: toNumber(receipt.transactionIndex) })}</span>
          </KeyValue>
        )}
        {timestamp === undefined ? null : (
          <KeyValue name={t("time")}>
            <Time seconds={timestamp} full />
          </KeyValue>
        )}
        <KeyValue name={t("from")}>
          <Address value={from} full />
        </KeyValue>
        <KeyValue name={to === null ? t("created") : t("to")}>
          <span className="row">
            <Receiver to={to} created={receipt?.contractAddress ?? null} />
            <Method {...transaction} />
          </span>
        </KeyValue>
        <KeyValue name={t("value")}>
          <Amount value={value} exact />
        </KeyValue>
        {receipt === null ? null : <Costs transaction={transaction} receipt={receipt} />}
        <KeyValue name={t("nonce")} hint={t("hintNonce")}>
          {number(toNumber(nonce))}
        </KeyValue>
        <KeyValue name={t("type")}>{typeName(t, toNumber(transaction.type))}</KeyValue>
      </KeyValues>
    </Card>
  );
}

function Proofs({ hash }: { readonly hash: string }) {
  const t = useText(text);
  return (
    <span className="row">
      <span>
        {t("rawTransaction")}{" "}
        <Prove
          question={{ kind: "transaction", hash: hash as `0x${string}` }}
          subject={t("rawTransaction")}
        />
      </span>
      <span>
        {t("rawReceipt")}{" "}
        <Prove question={{ kind: "receipt", hash: hash as `0x${string}` }} subject={t("rawReceipt")} />
      </span>
    </span>
  );
}

function Receiver({ to, created }: { readonly to: string | null; readonly created: string | null }) {
  const address = to ?? created;
  return address === null ? null : <Address value={address} full />;
}

const GWEI_DIGITS = 9;

type CostsProps = { readonly transaction: RpcTransaction; readonly receipt: RpcReceipt };

function Costs({ transaction, receipt }: CostsProps) {
  const t = useText(text);
  const { number, percent } = useFormats();
  const used = toNumber(receipt.gasUsed);
  const limit = toNumber(transaction.gas);
  const price = BigInt(receipt.effectiveGasPrice);
  const gwei = (quantity: string | undefined): string =>
    quantity === undefined ? "–" : formatUnits(BigInt(quantity), GWEI_DIGITS);
  return (
    <>
      <KeyValue name={t("fee")} hint={t("hintFee")}>
        <Amount value={BigInt(receipt.gasUsed) * price} exact />
      </KeyValue>
      <KeyValue name={t("gas")} hint={t("hintGas")}>
        {t("gasOf", { used: number(used), limit: number(limit), share: percent(used / Math.max(1, limit)) })}
      </KeyValue>
      <KeyValue name={t("price")}>
        {t("priceText", {
          price: formatUnits(price, GWEI_DIGITS),
          most: gwei(transaction.maxFeePerGas ?? transaction.gasPrice),
          tip: gwei(transaction.maxPriorityFeePerGas),
        })}
      </KeyValue>
    </>
  );
}

function typeName(t: Text<keyof (typeof text)["en"]>, type: number): string {
  switch (type) {
    case 0:
      return t("type0");
    case 1:
      return t("type1");
    case 2:
      return t("type2");
    case 3:
      return t("type3");
    case 4:
      return t("type4");
    default:
      return t("typeOther", { type });
  }
}
