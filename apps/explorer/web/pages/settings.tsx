import { type ReactNode, useId, useState } from "react";
import { Notice } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { Copy } from "../components/copy.tsx";
import { KeyValue, KeyValues } from "../components/key-values.tsx";
import { Card, Columns, Page } from "../components/page.tsx";
import { useConsole, useNode } from "../data/network.ts";
import { changeSettings, settingsStore, type Theme } from "../data/settings.ts";
import { useStore } from "../data/use-store.ts";
import { useText } from "../i18n/language.ts";
import { settings } from "../i18n/settings.ts";

/** Theme, language and node; the network's facts for a wallet; keys. */
export default function SettingsPage() {
  const t = useText(settings);
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Columns>
        <Card title={t("appearance")}>
          <Appearance />
        </Card>
        <Card title={t("keys")} flush>
          <Keys />
        </Card>
        <Card title={t("wallet")} flush>
          <WalletFacts />
        </Card>
        <Card title={t("storage")}>
          <Forget />
        </Card>
      </Columns>
    </Page>
  );
}

function Appearance() {
  const t = useText(settings);
  const { theme, language, node } = useStore(settingsStore);
  const { nodes } = useConsole();
  return (
    <div className="page">
      <Choice
        label={t("theme")}
        value={theme}
        options={[
          ["system", t("system")],
          ["light", t("light")],
          ["dark", t("dark")],
        ]}
        onChoose={(value) => changeSettings({ theme: value as Theme })}
      />
      <Choice
        label={t("language")}
        value={language}
        options={[
          ["system", t("system")],
          ["en", "English"],
          ["zh", "中文"],
        ]}
        onChoose={(value) => changeSettings({ language: value as "system" | "en" | "zh" })}
      />
      <Choice
        label={t("node")}
        hint={t("nodeHint")}
        value={String(node < nodes.length ? node : 0)}
        options={nodes.map(({ name, url }, index) => [String(index), url === "" ? name : `${name} · ${url}`])}
        onChoose={(value) => changeSettings({ node: Number(value) })}
      />
    </div>
  );
}

type ChoiceProps = {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly onChoose: (value: string) => void;
};

function Choice({ label, hint, value, options, onChoose }: ChoiceProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="select"
        value={value}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
      {hint === undefined ? null : <span className="field-hint">{hint}</span>}
    </div>
  );
}

function WalletFacts() {
  const t = useText(settings);
  const { chainName, chainId } = useConsole();
  const { url, path } = useNode();
  const address = url === "" ? new URL(path, location.href).href : url;
  return (
    <KeyValues>
      <KeyValue name={t("name")}>{chainName}</KeyValue>
      <KeyValue name={t("url")}>
        <span className="mono">{address}</span> <Copy text={address} subject={t("url")} />
      </KeyValue>
      <KeyValue name={t("chainId")}>
        {chainId} <Copy text={String(chainId)} subject={t("chainId")} />
      </KeyValue>
    </KeyValues>
  );
}

function Keys() {
  const t = useText(settings);
  const keys: readonly (readonly [keys: string, meaning: string])[] = [
    ["/", t("keySearch")],
    ["↑ ↓ Home End", t("keyRows")],
    ["Enter", t("keyOpen")],
    ["← →", t("keyTabs")],
    ["Esc", t("keyEscape")],
  ];
  return (
    <KeyValues>
      {keys.map(([key, meaning]) => (
        <KeyValue key={key} name={meaning}>
          <Keycap>{key}</Keycap>
        </KeyValue>
      ))}
    </KeyValues>
  );
}

function Keycap({ children }: { readonly children: ReactNode }) {
  return <kbd className="mono">{children}</kbd>;
}

function Forget() {
  const t = useText(settings);
  const [isDone, setDone] = useState(false);
  if (isDone) return <Notice tone="good">{t("cleared")}</Notice>;
  return (
    <Button
      onClick={() => {
        localStorage.clear();
        changeSettings({ theme: "system", language: "system", node: 0 });
        setDone(true);
      }}
    >
      {t("clear")}
    </Button>
  );
}
