import { Address } from "../components/hash.tsx";
import { EmptyState } from "../components/states.tsx";
import { decodeLog, verifiedAbi } from "../data/abi.ts";
import { useConsole } from "../data/network.ts";
import { toNumber } from "../data/quantity.ts";
import type { RpcLog } from "../data/rpc-types.ts";
import { useAnswer } from "../data/use-answer.ts";
import { useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import { DecodedView } from "./decoded-view.tsx";

/** Logs that are drawn of one transaction. */
const MAX_LOGS = 200;
const KEEP_MS = 60_000;

/** The logs of a transaction, in words where their ABI is known. */
export function LogList({ logs }: { readonly logs: readonly RpcLog[] }) {
  const t = useText(text);
  const { services } = useConsole();
  const shown = logs.slice(0, MAX_LOGS);
  const first = logs[0];
  const decoded = useAnswer(
    first === undefined ? undefined : `logs ${first.transactionHash} ${services.index}`,
    async () => {
      const addresses = [...new Set(shown.map(({ address }) => address))];
      const abis = new Map(
        services.index
          ? await Promise.all(
              addresses.map(async (address) => [address, await verifiedAbi(address)] as const),
            )
          : [],
      );
      return Promise.all(shown.map((log) => decodeLog(log, abis.get(log.address))));
    },
    { staleMs: KEEP_MS },
  );
  if (first === undefined) return <EmptyState title={t("noLogs")} />;
  return (
    <ol className="logs">
      {shown.map((log, index) => (
        <li key={log.logIndex}>
          <span className="log-index">{toNumber(log.logIndex)}</span>
          <div className="log-body">
            <Address value={log.address} />
            {decoded.value?.[index] === undefined ? (
              <RawLog log={log} />
            ) : (
              <DecodedView decoded={decoded.value[index]} />
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}

function RawLog({ log: { topics, data } }: { readonly log: RpcLog }) {
  const t = useText(text);
  return (
    <dl className="decoded-values">
      {topics.map((topic, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: topics have fixed places
        <div key={index}>
          <dt>{t("topic", { index })}</dt>
          <dd className="mono">{topic}</dd>
        </div>
      ))}
      <div>
        <dt>{t("data")}</dt>
        <dd className="mono">{data}</dd>
      </div>
    </dl>
  );
}
