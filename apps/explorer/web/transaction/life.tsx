import { Notice } from "../components/badge.tsx";
import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import type { KnownTransaction } from "./read-transaction.ts";

const STEPS = ["pending", "ordered", "executed", "certified"] as const;

/** The four stations of a transaction, with the one that it has reached. */
export function Life({ known: { status } }: { readonly known: KnownTransaction }) {
  const t = useText(text);
  if (status.status === "dropped") {
    return (
      <Notice tone="bad">
        <strong>{t("dropped")}</strong> {status.message ?? ""} <code>{status.reason ?? ""}</code>
      </Notice>
    );
  }
  const reached = reachedStep(status.status, status.certified ?? false);
  return (
    <section className="card" aria-label={t("life")}>
      <ol className="life">
        {STEPS.map((step, index) => (
          <li
            key={step}
            data-reached={index <= reached}
            aria-current={index === reached ? "step" : undefined}
          >
            <span className="life-mark">
              {index <= reached ? <Icon name="check" size={12} /> : index + 1}
            </span>
            <span>
              <strong>{t(step)}</strong>
              <small>{index === 0 && status.status === "queued" ? t("queued") : t(`${step}Text`)}</small>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function reachedStep(status: string, isCertified: boolean): number {
  if (status === "included") return isCertified ? 3 : 2;
  return status === "unknown" ? -1 : 0;
}
