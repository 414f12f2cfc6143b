import { Card } from "../components/page.tsx";
import { type NetworkNode, useNodes } from "../data/network.ts";
import { useAnswer } from "../data/use-answer.ts";
import { consensus } from "../i18n/consensus.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { askView } from "./use-views.ts";
import type { SimplexView, Step } from "./view-types.ts";

const COLUMNS: readonly (readonly [
  Step,
  "proposed" | "notarizedAt" | "nullifiedAt" | "finalizedAt" | "executedAt" | "certifiedAt",
])[] = [
  ["proposed", "proposed"],
  ["notarized", "notarizedAt"],
  ["nullified", "nullifiedAt"],
  ["finalized", "finalizedAt"],
  ["executed", "executedAt"],
  ["certified", "certifiedAt"],
];

/** When each node of the network saw the steps of one view. */
export function Elsewhere({ view }: { readonly view: SimplexView }) {
  const t = useText(consensus);
  const nodes = useNodes();
  const { epoch, view: number } = view;
  const { value } = useAnswer(
    `${epoch}/${number} elsewhere`,
    () => Promise.all(nodes.map((node) => askOne(node, epoch, number))),
    { staleMs: 5_000, on: view.steps.certified !== null },
  );
  const seen = (value ?? []).flatMap(({ record }) => record ?? []);
  const starts = seen.flatMap((one) => absolute(one, "proposed") ?? []);
  const zero =
    starts.length === 0 ? Math.min(...seen.map(({ startedAt }) => startedAt)) : Math.min(...starts);
  return (
    <Card title={t("elsewhereTitle")} flush>
      <p className="card-note">{t("elsewhereHint")}</p>
      <div className="table-frame">
        <table className="table" aria-label={t("elsewhereTitle")}>
          <thead>
            <tr>
              <th scope="col">{t("node")}</th>
              {COLUMNS.map(([step, name]) => (
                <th key={step} scope="col" data-align="end">
                  {t(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(value ?? []).map(({ name, isAnswering, record }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {record === undefined ? (
                  <td colSpan={COLUMNS.length} className="muted">
                    {t(isAnswering ? "unseen" : "noAnswer")}
                  </td>
                ) : (
                  COLUMNS.map(([step]) => <Moment key={step} at={absolute(record, step)} zero={zero} />)
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Moment({ at, zero }: { readonly at: number | undefined; readonly zero: number }) {
  const formats = useFormats();
  return <td data-align="end">{at === undefined ? "–" : formats.number(at - zero, 1)}</td>;
}

function absolute({ startedAt, steps }: SimplexView, step: Step): number | undefined {
  const at = steps[step];
  return at === null ? undefined : startedAt + at;
}

type Seen = {
  readonly name: string;
  readonly isAnswering: boolean;
  readonly record: SimplexView | undefined;
};

async function askOne(node: NetworkNode, epoch: number, view: number): Promise<Seen> {
  try {
    const record = await askView(node, epoch, view);
    return { name: node.name, isAnswering: true, record: record?.engine === "simplex" ? record : undefined };
  } catch {
    return { name: node.name, isAnswering: false, record: undefined };
  }
}
