import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CATALOG } from "./metrics-catalog.ts";

const docs = join(import.meta.dirname, "../../docs");

type Row = { readonly name: string; readonly kind: string; readonly labels: readonly string[] };

/** The tables of docs/metrics.md: `| name | type | labels | unit | what it means | look at it when |`. */
function documented(): readonly Row[] {
  const rows = readFileSync(join(docs, "metrics.md"), "utf8").matchAll(
    /^\| `(\w+)` \| (counter|gauge|histogram) \| ([\w, ]*?) ?\| [^|]*\| ([^|]+)\| [^|]*\|$/gm,
  );
  return [...rows].map(([, name, kind, labels]) => {
    return { name: name!, kind: kind!, labels: labels === "" ? [] : labels!.split(", ") };
  });
}

/** Labels of what is computed are the page's word; a running node is asked about them (apps/cli/metrics.test.ts). */
function labelsOf({ label, isOfThread, isOfMethod }: (typeof CATALOG.metrics)[number]): readonly string[] {
  if (isOfThread) return ["thread"];
  if (isOfMethod) return ["method"];
  return label === undefined ? [] : [label.name];
}

describe("docs/metrics.md", () => {
  test("explains every metric of a node, and none that it has not, with its type", () => {
    const known = CATALOG.metrics.map(({ name, kind }) => `${name} ${kind}`).sort();
    const told = documented()
      .map(({ name, kind }) => `${name} ${kind}`)
      .sort();
    assert.deepEqual(told, known);
  });

  test("names the labels of every metric", () => {
    const rows = new Map(documented().map((row) => [row.name, row.labels]));
    for (const metric of CATALOG.metrics)
      if (metric.slot >= 0) assert.deepEqual(rows.get(metric.name), labelsOf(metric), metric.name);
  });

  test("has a dashboard whose queries use metrics that a node has", () => {
    const text = readFileSync(join(docs, "grafana-ostrom.json"), "utf8");
    const known = new Set(
      CATALOG.metrics.flatMap(({ name, kind }) =>
        kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    const dashboard = JSON.parse(text) as {
      readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
    };
    const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const used = queries.flatMap((query) => query.match(/\b(?:ostrom|process)_\w+/g) ?? []);
    assert.ok(used.length > 30);
    assert.deepEqual(
      used.filter((name) => !known.has(name)),
      [],
    );
  });
});
