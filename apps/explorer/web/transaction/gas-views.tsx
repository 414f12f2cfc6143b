import { useMemo } from "react";
import { type Column, DataTable } from "../components/data-table.tsx";
import { EmptyState } from "../components/states.tsx";
import { shorten } from "../data/quantity.ts";
import { nameOfSelector } from "../data/selectors.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import { type CallBar, type CallFrame, layOutCalls } from "./call-frames.ts";
import { gasByOpcode, type OpcodeGas } from "./gas-profile.ts";
import { type StepTrace, traceCalls, traceSteps } from "./read-transaction.ts";
import { Traced } from "./traced.tsx";

/** Where the gas went: by call as a picture, by instruction as a table. */
export function GasViews({ hash }: { readonly hash: string }) {
  const t = useText(text);
  return (
    <>
      <section>
        <h2>{t("gasByCall")}</h2>
        <p className="soft small">{t("gasByCallLead")}</p>
        <Traced hash={hash} kind="calls" trace={traceCalls}>
          {(root) => <Icicle root={root} />}
        </Traced>
      </section>
      <section>
        <h2>{t("gasByStep")}</h2>
        <p className="soft small">{t("gasByStepLead")}</p>
        <Traced hash={hash} kind="steps" trace={traceSteps}>
          {(trace) => <Opcodes trace={trace} />}
        </Traced>
      </section>
    </>
  );
}

const TABLE_HEIGHT = 520;
const BAR_HEIGHT = 30;
const BAR_GAP = 2;
/** Narrower bars have no room for a word. */
const LABELLED_SHARE = 0.08;
const COLORS = 4;

function Icicle({ root }: { readonly root: CallFrame }) {
  const t = useText(text);
  const { number, percent } = useFormats();
  const bars = useMemo(() => layOutCalls(root), [root]);
  const depth = Math.max(...bars.map((bar) => bar.depth)) + 1;
  return (
    <ol className="icicle" style={{ height: depth * (BAR_HEIGHT + BAR_GAP) }} aria-label={t("gasByCall")}>
      {bars.map((bar) => {
        const label = labelOf(bar);
        const full = `${label}: ${number(bar.gasUsed)} gas (${percent(bar.width)})`;
        return (
          <li
            key={bar.path}
            title={full}
            data-color={(bar.depth % COLORS) + 1}
            data-failed={bar.frame.error !== undefined}
            style={{
              left: `${bar.left * 100}%`,
              width: `${Math.max(bar.width * 100, 0.15)}%`,
              top: bar.depth * (BAR_HEIGHT + BAR_GAP),
              height: BAR_HEIGHT,
            }}
          >
            <span className={bar.width < LABELLED_SHARE ? "visually-hidden" : undefined}>{full}</span>
          </li>
        );
      })}
    </ol>
  );
}

function labelOf({ frame: { type, to, input } }: CallBar): string {
  const place = to === undefined ? "" : ` ${shorten(to)}`;
  const selector = input.slice(0, 10);
  const name = type.startsWith("CREATE") ? undefined : nameOfSelector(selector);
  return `${type}${place}${name === undefined ? "" : ` ${name}`}`;
}

function Opcodes({ trace: { steps, isCut } }: { readonly trace: StepTrace }) {
  const t = useText(text);
  const { number, percent } = useFormats();
  const rows = useMemo(() => gasByOpcode(steps), [steps]);
  const columns = useMemo((): readonly Column<OpcodeGas>[] => {
    const whole = Math.max(
      1,
      rows.reduce((sum, { gas }) => sum + gas, 0),
    );
    return [
      { id: "op", header: t("opcode"), cell: ({ op }) => <code>{op}</code>, sort: ({ op }) => op },
      {
        id: "count",
        header: t("count"),
        align: "end",
        cell: ({ count }) => number(count),
        sort: ({ count }) => count,
      },
      {
        id: "gas",
        header: t("gasSum"),
        align: "end",
        cell: ({ gas }) => number(gas),
        sort: ({ gas }) => gas,
      },
      {
        id: "share",
        header: t("share"),
        align: "end",
        cell: ({ gas }) => (
          <>
            {percent(gas / whole)}{" "}
            <span className="meter" aria-hidden="true">
              <i style={{ width: `${(gas / whole) * 100}%` }} />
            </span>
          </>
        ),
      },
    ];
  }, [rows, t, number, percent]);
  if (rows.length === 0) return <EmptyState>{t("noSteps")}</EmptyState>;
  return (
    <>
      {isCut ? <p className="soft small">{t("gasCut", { count: steps.length })}</p> : null}
      <DataTable
        label={t("gasByStep")}
        columns={columns}
        rows={rows}
        rowKey={({ op }) => op}
        virtualHeight={TABLE_HEIGHT}
      />
    </>
  );
}
