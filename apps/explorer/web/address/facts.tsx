import type { RestAddress } from "@ostrom/indexer";
import { Amount } from "../components/amount.tsx";
import { Address, BlockLink, TransactionLink } from "../components/hash.tsx";
import { KeyValue, KeyValues } from "../components/key-values.tsx";
import { Card } from "../components/page.tsx";
import { Skeleton } from "../components/states.tsx";
import { address as section } from "../i18n/address.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { Prove } from "../prove/prove-button.tsx";
import { accountKind, delegateOf } from "./account-kind.ts";

/** What a node says of an account; quantities are read, code is hex digits. */
export type AccountState = { readonly balance: bigint; readonly nonce: bigint; readonly code: string };

type FactsProps = {
  readonly address: `0x${string}`;
  readonly state: AccountState | undefined;
  readonly known: RestAddress | undefined;
};

/** Balance, nonce and code, each with its proof, and what the index knows besides. */
export function AddressFacts({ address, state, known }: FactsProps) {
  const t = useText(section);
  const formats = useFormats();
  if (state === undefined) {
    return (
      <Card>
        <Skeleton lines={3} />
      </Card>
    );
  }
  const { balance, nonce, code } = state;
  const bytes = code.length / 2 - 1;
  return (
    <Card flush>
      <KeyValues>
        <KeyValue name={t("balance")}>
          <span className="row">
            <strong data-testid="balance">
              <Amount value={balance} exact />
            </strong>
            <Prove question={{ kind: "balance", address }} subject={t("balance")} />
          </span>
        </KeyValue>
        <KeyValue name={t("nonce")} hint={t("nonceHint")}>
          <span className="row">
            {formats.number(nonce)}
            <Prove question={{ kind: "nonce", address }} subject={t("nonce")} />
          </span>
        </KeyValue>
        <KeyValue name={t("code")}>
          <span className="row">
            {bytes === 0 ? t("noCode") : t("bytes", { count: bytes })}
            <Prove question={{ kind: "code", address }} subject={t("code")} />
          </span>
        </KeyValue>
        <Delegation code={code} />
        <KnownFacts known={known} />
      </KeyValues>
    </Card>
  );
}

function Delegation({ code }: { readonly code: string }) {
  const t = useText(section);
  const delegate = delegateOf(code);
  if (delegate === undefined) return null;
  return (
    <KeyValue name={t("delegation")} hint={t("delegationHint")}>
      <span className="row">
        <Address value={delegate} />
        {accountKind(code) === "keyed" ? <span className="soft">{t("keyedWords")}</span> : null}
      </span>
    </KeyValue>
  );
}

function KnownFacts({ known }: { readonly known: RestAddress | undefined }) {
  const t = useText(section);
  const formats = useFormats();
  if (known === undefined) return null;
  const { contract, firstSeen, lastSeen, ledCount } = known;
  return (
    <>
      {contract === null || contract.creator === null ? null : (
        <KeyValue name={t("creator")}>
          <span className="row">
            <Address value={contract.creator} />
            {contract.creationTransaction === null ? null : (
              <TransactionLink hash={contract.creationTransaction} />
            )}
          </span>
        </KeyValue>
      )}
      {firstSeen === null || lastSeen === null ? null : (
        <KeyValue name={`${t("firstSeen")} – ${t("lastSeen")}`}>
          <BlockLink number={firstSeen} /> – <BlockLink number={lastSeen} />
        </KeyValue>
      )}
      {ledCount === 0 ? null : <KeyValue name={t("led")}>{formats.number(ledCount)}</KeyValue>}
    </>
  );
}
