import type { ReactNode } from "react";
import { Amount } from "../components/amount.tsx";
import { Badge } from "../components/badge.tsx";
import { Address, Hash } from "../components/hash.tsx";
import { EmptyState } from "../components/states.tsx";
import { useFormats, useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import { traceState } from "./read-transaction.ts";
import { type AccountChange, stateDifference } from "./state-difference.ts";
import { Traced } from "./traced.tsx";

/** Accounts and slots that are drawn. */
const MAX_ACCOUNTS = 100;
const MAX_SLOTS = 200;

/** What a transaction changed: balances, nonces, code and storage, before and after. */
export function StateChanges({ hash }: { readonly hash: string }) {
  const t = useText(text);
  return (
    <Traced hash={hash} kind="state" trace={traceState}>
      {(trace) => {
        const accounts = stateDifference(trace).slice(0, MAX_ACCOUNTS);
        if (accounts.length === 0) return <EmptyState title={t("noState")} />;
        return (
          <ul className="state-changes">
            {accounts.map((account) => (
              <Account key={account.address} account={account} />
            ))}
          </ul>
        );
      }}
    </Traced>
  );
}

function Account({ account }: { readonly account: AccountChange }) {
  const t = useText(text);
  const { number } = useFormats();
  const { address, kind, balance, nonce, code, storage } = account;
  return (
    <li>
      <div className="row">
        <Address value={address} />
        {kind === "created" ? <Badge tone="info">{t("newAccount")}</Badge> : null}
        {kind === "deleted" ? <Badge tone="bad">{t("deletedAccount")}</Badge> : null}
      </div>
      <dl className="changes">
        {balance === undefined ? null : (
          <Difference name={t("balance")} before={amount(balance.before)} after={amount(balance.after)}>
            <Delta before={balance.before ?? 0n} after={balance.after ?? 0n} />
          </Difference>
        )}
        {nonce === undefined ? null : (
          <Difference name={t("nonce")} before={number(nonce.before ?? 0)} after={number(nonce.after ?? 0)} />
        )}
        {code === undefined ? null : (
          <Difference
            name={t("code")}
            before={t("bytes", { count: byteCount(code.before) })}
            after={t("bytes", { count: byteCount(code.after) })}
          />
        )}
        {storage.slice(0, MAX_SLOTS).map(({ slot, before, after }) => (
          <Difference
            key={slot}
            name={
              <>
                {t("slot")} <Hash value={slot} copy={false} />
              </>
            }
            before={<Word value={before} />}
            after={<Word value={after} />}
          />
        ))}
      </dl>
    </li>
  );
}

type DifferenceProps = {
  readonly name: ReactNode;
  readonly before: ReactNode;
  readonly after: ReactNode;
  readonly children?: ReactNode;
};

function Difference({ name, before, after, children }: DifferenceProps) {
  const t = useText(text);
  return (
    <div className="change">
      <dt>{name}</dt>
      <dd>
        <span className="change-before">
          <span className="visually-hidden">{t("before")} </span>
          {before}
        </span>
        <span aria-hidden="true" className="muted">
          →
        </span>
        <span className="change-after">
          <span className="visually-hidden">{t("after")} </span>
          {after}
        </span>
        {children}
      </dd>
    </div>
  );
}

function amount(value: bigint | undefined): ReactNode {
  return <Amount value={value ?? 0n} exact />;
}

function Delta({ before, after }: { readonly before: bigint; readonly after: bigint }) {
  const isMore = after >= before;
  return (
    <Badge tone={isMore ? "good" : "warn"}>
      {isMore ? "+" : ""}
      <Amount value={after - before} />
    </Badge>
  );
}

/** A word of storage: small numbers as such, all else in hexadecimal. */
function Word({ value }: { readonly value: string }) {
  const number = BigInt(value);
  const isSmall = number < 1n << 64n;
  return (
    <span className="mono" title={value}>
      {isSmall ? number.toString() : value}
    </span>
  );
}

function byteCount(code: string | undefined): number {
  return code === undefined ? 0 : (code.length - 2) / 2;
}
