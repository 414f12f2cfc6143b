import type { RestSource } from "@ostrom/indexer";
import { useMemo, useState } from "react";
import { Badge } from "../components/badge.tsx";
import { CodeView } from "../components/code-view.tsx";
import { Copy } from "../components/copy.tsx";
import { Hint } from "../components/hint.tsx";
import { JsonTree } from "../components/json-tree.tsx";
import { KeyValue, KeyValues } from "../components/key-values.tsx";
import { Card } from "../components/page.tsx";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import { tokenizeLines } from "./solidity-tokens.ts";

/** Lines in colours at most: a longer file is shown plain. */
const MAX_COLOURED_LINES = 3_000;

/** The verified source of a contract: its files, and how they were compiled. */
export function SourceView({ source }: { readonly source: RestSource }) {
  const t = useText(section);
  const own = source.qualifiedName.slice(0, source.qualifiedName.lastIndexOf(":"));
  const [chosen, choose] = useState(own);
  const { sources } = source;
  const file = sources.find(({ path }) => path === chosen) ?? sources[0];
  return (
    <>
      <Facts source={source} />
      <div className="source">
        <nav aria-label={t("files")} className="source-files">
          {sources.map(({ path }) => (
            <button
              key={path}
              type="button"
              className="source-file"
              aria-pressed={path === file?.path}
              onClick={() => choose(path)}
            >
              {path}
            </button>
          ))}
        </nav>
        {file === undefined ? null : <SourceFile key={file.path} path={file.path} content={file.content} />}
      </div>
    </>
  );
}

function Facts({ source }: { readonly source: RestSource }) {
  const t = useText(section);
  const { name, compiler, match, evmVersion, constructorArguments, libraries, settings } = source;
  const linked = Object.entries(libraries);
  return (
    <Card flush>
      <KeyValues>
        <KeyValue name={t("name")}>
          <span className="row">
            <strong>{name}</strong>
            <Badge tone={match === "full" ? "good" : "info"}>{t(match)}</Badge>
            <Hint text={t(match === "full" ? "fullHint" : "partialHint")}>?</Hint>
          </span>
        </KeyValue>
        <KeyValue name={t("compiler")}>
          <span className="mono">{compiler}</span>
        </KeyValue>
        {evmVersion === null ? null : <KeyValue name={t("evmVersion")}>{evmVersion}</KeyValue>}
        {constructorArguments === null || constructorArguments === "0x" ? null : (
          <KeyValue name={t("constructorArguments")}>
            <span className="mono">{constructorArguments}</span>
          </KeyValue>
        )}
        {linked.length === 0 ? null : (
          <KeyValue name={t("libraries")}>
            {linked.map(([library, at]) => (
              <div key={library} className="mono">
                {library}: {at}
              </div>
            ))}
          </KeyValue>
        )}
        <KeyValue name={t("settings")}>
          <details>
            <summary>{t("settings")}</summary>
            <JsonTree value={settings} />
          </details>
        </KeyValue>
      </KeyValues>
    </Card>
  );
}

type FileProps = { readonly path: string; readonly content: string };

function SourceFile({ path, content }: FileProps) {
  const lines = useMemo(() => tokenizeLines(content), [content]);
  if (lines.length > MAX_COLOURED_LINES) return <CodeView code={content} label={path} numbers />;
  return (
    <figure className="source-text">
      <figcaption className="row small soft">
        <span>{path}</span>
        <Copy text={content} subject={path} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section className="code" aria-label={path} tabIndex={0}>
        <code>
          <pre className="code-numbers" aria-hidden="true">
            {lines.map((_, index) => index + 1).join("\n")}
          </pre>
          <pre>
            {lines.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text that does not change
              <span key={index}>
                {line.map(({ kind, text }, place) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: as above
                  <span key={place} data-token={kind === "plain" ? undefined : kind}>
                    {text}
                  </span>
                ))}
                {"\n"}
              </span>
            ))}
          </pre>
        </code>
      </section>
    </figure>
  );
}
