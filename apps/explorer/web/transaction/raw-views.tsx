import { JsonTree } from "../components/json-tree.tsx";
import { Columns } from "../components/page.tsx";
import type { RpcReceipt, RpcTransaction } from "../data/rpc-types.ts";
import { useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";

type RawProps = { readonly transaction: RpcTransaction; readonly receipt: RpcReceipt | null };

/** The transaction and its receipt, as the node answers them. */
export function RawViews({ transaction, receipt }: RawProps) {
  const t = useText(text);
  return (
    <Columns>
      <section>
        <h2>{t("rawTransaction")}</h2>
        <JsonTree value={transaction} />
      </section>
      {receipt === null ? null : (
        <section>
          <h2>{t("rawReceipt")}</h2>
          <JsonTree value={receipt} />
        </section>
      )}
    </Columns>
  );
}
