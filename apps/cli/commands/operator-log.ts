import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { OPERATOR_LOG_FILE, type OperatorRecord, readOperatorLog } from "@ostrom/runtime";
import { type ChainAct, chainActs } from "../chain-acts.ts";
import { type Command, UsageError, type Values } from "../command.ts";
import { ACCESS_FLAGS, folderOf, remoteAccess } from "../node-access.ts";

export const operatorLog: Command = {
  name: "operator-log",
  summary: "show or verify what was done to a node, by whom and when",
  usage: "verify | export --data-dir DIR [--from DATE] [--to DATE] [--rpc URL] [--csv]",
  maxPositionals: 1,
  flags: [
    { name: "data-dir", kind: "text", placeholder: "DIR", help: "the node's folder", default: "." },
    { name: "file", kind: "text", placeholder: "FILE", help: "a copy of its log, instead of the folder" },
    {
      name: "head",
      kind: "text",
      placeholder: "HASH",
      help: "verify: a record's hash that was noted elsewhere",
    },
    {
      name: "from",
      kind: "text",
      placeholder: "DATE",
      help: "export: from this time on, such as 2026-11-01",
    },
    { name: "to", kind: "text", placeholder: "DATE", help: "export: before this time" },
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "export: a node whose chain's own acts of that period are added: membership, upgrades",
    },
    ...ACCESS_FLAGS,
    { name: "csv", kind: "switch", help: "export: as CSV, not as JSON lines" },
  ],
  examples: [
    "ostrom operator-log verify --data-dir validator-1",
    "ostrom operator-log export --data-dir validator-1 --from 2026-11-01 --to 2026-12-01 --csv",
    "ostrom operator-log export --from 2026-11-01 --rpc http://127.0.0.1:8545",
  ],
  run: async ({ values, positionals }) => {
    const [action] = positionals;
    const path =
      typeof values["file"] === "string"
        ? resolve(values["file"])
        : join(folderOf(values), OPERATOR_LOG_FILE);
    if (!existsSync(path))
      throw new UsageError(`${path} is not there: name the node's folder with --data-dir`);
    if (action === "verify") return verify(path, values);
    if (action === "export") return exportLog(path, values);
    throw new UsageError("say what to do: verify, or export. See: ostrom operator-log --help");
  },
};

/** What a whole reading of the log has found. */
type Findings = {
  records: number;
  head: string | undefined;
  problem: string | undefined;
  tornBytes: number;
  hasNoted: boolean;
};

async function read(
  path: string,
  noted: string | undefined,
  onRecord: (record: OperatorRecord) => void,
): Promise<Findings> {
  const findings: Findings = {
    records: 0,
    head: undefined,
    problem: undefined,
    tornBytes: 0,
    hasNoted: false,
  };
  for await (const step of readOperatorLog(path)) {
    if (step.kind === "torn") findings.tornBytes = step.bytes;
    else if (step.kind === "broken") findings.problem = `line ${step.broken.line}: ${step.broken.problem}`;
    else {
      findings.records += 1;
      findings.head = step.record.hash;
      if (step.record.hash === noted) findings.hasNoted = true;
      onRecord(step.record);
    }
  }
  return findings;
}

async function verify(path: string, values: Values): Promise<number> {
  const noted = values["head"] as string | undefined;
  const findings = await read(path, noted, () => undefined);
  const { records, head, tornBytes } = findings;
  const isCut = noted !== undefined && !findings.hasNoted;
  const problem =
    findings.problem ??
    (isCut ? `no record has the hash ${noted}: records were cut off or changed` : undefined);
  if (values["json"] === true) {
    console.log(JSON.stringify({ path, isWhole: problem === undefined, records, head, problem, tornBytes }));
    return problem === undefined ? 0 : 1;
  }
  if (problem !== undefined)
    throw new UsageError(`${path}: ${problem} (${records} records before it are good)`);
  const torn =
    tornBytes === 0 ? "" : ` The last ${tornBytes} bytes are a line that is being written, or was cut off.`;
  console.log(
    `${records} records, each follows the one before.${torn}\nHash of the last, to be noted elsewhere: ${head}`,
  );
  return 0;
}

type Row = {
  readonly time: string;
  readonly source: "node" | "chain";
  readonly actor: string;
  readonly act: string;
  readonly details: unknown;
  readonly sequence?: number;
  readonly hash: string;
};

async function exportLog(path: string, values: Values): Promise<number> {
  const from = timeOf(values["from"], "--from") ?? "";
  const to = timeOf(values["to"], "--to") ?? "9999";
  const rows: Row[] = [];
  const findings = await read(path, undefined, ({ previous: _previous, ...record }) => {
    if (record.time >= from && record.time < to) rows.push({ source: "node", ...record });
  });
  const { rpc } = values;
  if (typeof rpc === "string") {
    const period = {
      from: from === "" ? 0 : Date.parse(from),
      to: to === "9999" ? Number.POSITIVE_INFINITY : Date.parse(to),
    };
    rows.push(...(await chainActs(await remoteAccess(rpc, values), period)).map(rowOf));
    rows.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  }
  if (values["csv"] === true) {
    console.log(CSV_COLUMNS.join(","));
    for (const row of rows) console.log(CSV_COLUMNS.map((column) => csvCell(row[column])).join(","));
  } else for (const row of rows) console.log(JSON.stringify(row));
  if (findings.problem === undefined) return 0;
  console.error(`ostrom operator-log: ${path}: ${findings.problem}: what follows that line is not exported`);
  return 1;
}

const CSV_COLUMNS = ["time", "source", "actor", "act", "details", "sequence", "hash"] as const;

function rowOf({ time, actor, act, details, transaction }: ChainAct): Row {
  return { time, source: "chain", actor, act, details, hash: transaction };
}

/** Spreadsheets take a cell that begins so for a formula, and would compute it. Source: OWASP, "CSV Injection". */
const FORMULA = /^[=+\-@\t\r]/;

function csvCell(value: unknown): string {
  const text = value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** @returns the time as records have it, so that texts compare as times do. */
function timeOf(value: unknown, flag: string): string | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const milliseconds = /^\d{4}-\d{2}-\d{2}(?:T.+)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds))
    throw new UsageError(
      `${flag}: expected a date such as 2026-11-23 or 2026-11-23T08:00:00Z, found "${text}"`,
    );
  return new Date(milliseconds).toISOString();
}
