import type { RestCompiler, RestVerification, VerificationRequest } from "@ostrom/indexer";
import { type ReactNode, useId, useState } from "react";
import { Notice } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { CodeView } from "../components/code-view.tsx";
import { Card } from "../components/page.tsx";
import { Loaded } from "../components/states.tsx";
import { rest } from "../data/rest.ts";
import { useAnswer } from "../data/use-answer.ts";
import { contract as section } from "../i18n/contract.ts";
import { type Text, useText } from "../i18n/language.ts";
import { matchSources, readJson, standardInput, verifySource } from "./verification.ts";

type VerifyProps = { readonly address: `0x${string}`; readonly onVerified: () => void };

/** Anybody may show a contract's source: it is compiled again by the index, and compared. */
export function VerifyForm(props: VerifyProps) {
  const t = useText(section);
  const compilers = useAnswer("compilers", () =>
    rest<readonly RestCompiler[] | { readonly items: readonly RestCompiler[] }>("/verification/compilers"),
  );
  return (
    <Card title={t("verifyTitle")}>
      <Loaded answer={compilers}>
        {(answer) => {
          const items = "items" in answer ? answer.items : answer;
          return items.length === 0 ? <p>{t("noCompilers")}</p> : <Form {...props} compilers={items} />;
        }}
      </Loaded>
    </Card>
  );
}

const WAYS = ["standard", "metadata", "single"] as const;
type Way = (typeof WAYS)[number];
type PickedFile = { readonly name: string; readonly text: string };

type Draft = {
  readonly way: Way;
  readonly compiler: string;
  readonly qualifiedName: string;
  readonly constructorArguments: string;
  /** Standard JSON input, metadata.json, or the one source. */
  readonly text: string;
  readonly files: readonly PickedFile[];
  readonly fileName: string;
  readonly isOptimized: boolean;
  readonly runs: string;
  readonly evmVersion: string;
};

const EMPTY: Draft = {
  way: "standard",
  compiler: "",
  qualifiedName: "",
  constructorArguments: "",
  text: "",
  files: [],
  fileName: "Contract.sol",
  isOptimized: true,
  runs: "200",
  evmVersion: "",
};

/** What is asked of the index, or undefined where the text is no JSON though it should be. */
export function requestOf(address: `0x${string}`, draft: Draft): VerificationRequest | undefined {
  const {
    way,
    compiler,
    qualifiedName,
    constructorArguments,
    text,
    files,
    fileName,
    isOptimized,
    runs,
    evmVersion,
  } = draft;
  const shared = {
    address,
    compiler,
    ...(qualifiedName.trim() === "" ? {} : { qualifiedName: qualifiedName.trim() }),
    ...(constructorArguments.trim() === "" ? {} : { constructorArguments: constructorArguments.trim() }),
  };
  if (way === "single") {
    const optimizerRuns = isOptimized ? Number(runs) : undefined;
    return { ...shared, input: standardInput({ fileName, content: text, optimizerRuns, evmVersion }) };
  }
  const json = readJson(text);
  if (json === undefined) return undefined;
  if (way === "standard") return { ...shared, input: json };
  return { ...shared, metadata: json, sources: matchSources(json, files) };
}

type Outcome =
  | { readonly kind: "none" | "checking" | "no-json" }
  | { readonly kind: "done"; readonly found: RestVerification }
  | { readonly kind: "failed"; readonly message: string };

function Form({
  address,
  onVerified,
  compilers,
}: VerifyProps & { readonly compilers: readonly RestCompiler[] }) {
  const t = useText(section);
  const [draft, setDraft] = useState<Draft>({ ...EMPTY, compiler: compilers[0]?.version ?? "" });
  const [outcome, setOutcome] = useState<Outcome>({ kind: "none" });
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const submit = async (): Promise<void> => {
    const request = requestOf(address, draft);
    if (request === undefined) return setOutcome({ kind: "no-json" });
    setOutcome({ kind: "checking" });
    try {
      const found = await verifySource(request);
      setOutcome({ kind: "done", found });
      if (found.state === "verified") onVerified();
    } catch (error) {
      setOutcome({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <form
      className="verify"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <p className="soft small">{t("verifyWords")}</p>
      <SharedFields draft={draft} change={change} compilers={compilers} />
      <SourceFields draft={draft} change={change} />
      {draft.way === "single" ? <SettingsFields draft={draft} change={change} /> : null}
      <div>
        <Button type="submit" kind="primary" disabled={outcome.kind === "checking" || draft.text === ""}>
          {t("submit")}
        </Button>
      </div>
      <OutcomeNotice outcome={outcome} t={t} />
    </form>
  );
}

type PartProps = { readonly draft: Draft; readonly change: (part: Partial<Draft>) => void };

function SharedFields({
  draft,
  change,
  compilers,
}: PartProps & { readonly compilers: readonly RestCompiler[] }) {
  const t = useText(section);
  return (
    <div className="verify-fields">
      <Field label={t("way")}>
        {(id) => (
          <select
            id={id}
            className="select"
            value={draft.way}
            onChange={(event) => change({ way: event.target.value as Way })}
          >
            {WAYS.map((way) => (
              <option key={way} value={way}>
                {t(`way_${way}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t("compiler")}>
        {(id) => (
          <select
            id={id}
            className="select"
            value={draft.compiler}
            onChange={(event) => change({ compiler: event.target.value })}
          >
            {compilers.map(({ version }) => (
              <option key={version} value={version}>
                {version}
              </option>
            ))}
          </select>
        )}
      </Field>
      <TextField
        label={t("contractName")}
        hint={t("contractNameHint")}
        value={draft.qualifiedName}
        onChange={(qualifiedName) => change({ qualifiedName })}
      />
      <TextField
        label={t("constructorArguments")}
        value={draft.constructorArguments}
        onChange={(constructorArguments) => change({ constructorArguments })}
      />
    </div>
  );
}

const TEXT_LABELS = { standard: "inputJson", metadata: "metadataJson", single: "sourceText" } as const;

function SourceFields({ draft, change }: PartProps) {
  const t = useText(section);
  const label = t(TEXT_LABELS[draft.way]);
  return (
    <>
      <Field label={label}>
        {(id) => (
          <textarea
            id={id}
            className="textarea"
            rows={10}
            value={draft.text}
            onChange={(event) => change({ text: event.target.value })}
            spellCheck={false}
          />
        )}
      </Field>
      <Field label={t("upload")} hint={filesHint(draft, t)}>
        {(id) => (
          <input
            id={id}
            type="file"
            className="small soft"
            multiple={draft.way === "metadata"}
            accept=".json,.sol,.yul"
            onChange={(event) => {
              void takeFiles(draft.way, [...(event.target.files ?? [])]).then(change);
            }}
          />
        )}
      </Field>
    </>
  );
}

function filesHint({ files }: Draft, t: Text<keyof (typeof section)["en"]>): string | undefined {
  return files.length === 0 ? undefined : t("uploaded", { names: files.map(({ name }) => name).join(", ") });
}

/** What chosen files are: the text itself, or metadata.json with sources. */
async function takeFiles(way: Way, chosen: readonly File[]): Promise<Partial<Draft>> {
  const read = await Promise.all(chosen.map(async (file) => ({ name: file.name, text: await file.text() })));
  if (way !== "metadata") {
    const [first] = read;
    if (first === undefined) return {};
    return { text: first.text, ...(way === "single" ? { fileName: first.name } : {}) };
  }
  const metadata = read.find(({ name }) => name.endsWith(".json"));
  const files = read.filter((file) => file !== metadata);
  return { files, ...(metadata === undefined ? {} : { text: metadata.text }) };
}

function SettingsFields({ draft, change }: PartProps) {
  const t = useText(section);
  return (
    <div className="verify-fields">
      <TextField label={t("fileName")} value={draft.fileName} onChange={(fileName) => change({ fileName })} />
      <TextField
        label={t("evmVersion")}
        hint={t("evmVersionHint")}
        value={draft.evmVersion}
        onChange={(evmVersion) => change({ evmVersion })}
      />
      <label className="row small">
        <input
          type="checkbox"
          checked={draft.isOptimized}
          onChange={(event) => change({ isOptimized: event.target.checked })}
        />
        {t("optimizer")}
      </label>
      {draft.isOptimized ? (
        <TextField label={t("runs")} value={draft.runs} onChange={(runs) => change({ runs })} />
      ) : null}
    </div>
  );
}

type FieldProps = {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: (id: string) => ReactNode;
};

function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {hint === undefined ? null : <span className="field-hint">{hint}</span>}
    </div>
  );
}

type TextFieldProps = {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
};

function TextField({ label, hint, value, onChange }: TextFieldProps) {
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <input
          id={id}
          className="input mono"
          value={value}
          onChange={(event) => onChange(event.target.value)}
          autoComplete="off"
          spellCheck={false}
        />
      )}
    </Field>
  );
}

type NoticeProps = { readonly outcome: Outcome; readonly t: Text<keyof (typeof section)["en"]> };

function OutcomeNotice({ outcome, t }: NoticeProps) {
  switch (outcome.kind) {
    case "none":
      return null;
    case "checking":
      return <Notice>{t("checking")}</Notice>;
    case "no-json":
      return <Notice tone="bad">{t("wrongJson")}</Notice>;
    case "failed":
      return (
        <Notice tone="bad">
          <strong>{t("notVerified")}</strong> {outcome.message}
        </Notice>
      );
    case "done": {
      const { state, match, detail, code, errors } = outcome.found;
      if (state === "verified")
        return <Notice tone="good">{t("verified", { match: t(match ?? "partial") })}</Notice>;
      return (
        <>
          <Notice tone="bad">
            <strong>{t("notVerified")}</strong> {detail} {code === null ? null : <code>{code}</code>}
          </Notice>
          {errors.length === 0 ? null : (
            <CodeView code={errors.join("\n")} label={t("compilerErrors")} wrap />
          )}
        </>
      );
    }
    default:
      return outcome satisfies never;
  }
}
