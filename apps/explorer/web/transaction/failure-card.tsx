import { Notice } from "../components/badge.tsx";
import { Address } from "../components/hash.tsx";
import { decodeError, verifiedAbi } from "../data/abi.ts";
import { useConsole, useNode } from "../data/network.ts";
import { useAnswer } from "../data/use-answer.ts";
import { useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import { DecodedView } from "./decoded-view.tsx";
import { readFailure } from "./read-transaction.ts";

const OUT_OF_GAS = /out of gas/i;
const KEEP_MS = 300_000;

/** Why a transaction failed: the innermost call that did, with what it said. */
export function FailureCard({ hash }: { readonly hash: string }) {
  const t = useText(text);
  const { path, rpc } = useNode();
  const { services } = useConsole();
  const { value } = useAnswer(
    `${path} failure ${hash} ${services.index}`,
    async () => {
      const failure = await readFailure(rpc, hash);
      if (failure === null) return null;
      const { to, output } = failure;
      const abi = services.index && to !== undefined ? await verifiedAbi(to) : undefined;
      const decoded = output === "0x" ? undefined : await decodeError(output, abi);
      return { ...failure, decoded };
    },
    { staleMs: KEEP_MS },
  );
  return (
    <Notice tone="bad">
      <h2>{t("why")}</h2>
      {value === undefined || value === null ? null : (
        <div className="failure">
          {value.to === undefined ? null : (
            <span className="row">
              {value.error} <Address value={value.to} />
            </span>
          )}
          {value.decoded === undefined ? null : <DecodedView decoded={value.decoded} />}
          {value.decoded === undefined && value.output === "0x" ? (
            <p>{OUT_OF_GAS.test(value.error) ? t("outOfGas") : t("noReason")}</p>
          ) : null}
          {value.decoded === undefined && value.output !== "0x" ? <code>{value.output}</code> : null}
        </div>
      )}
    </Notice>
  );
}
