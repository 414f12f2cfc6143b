import type { ReactNode } from "react";
import { Link } from "wouter";
import { Icon } from "../components/icon.tsx";
import { useConsole, useNode } from "../data/network.ts";
import { changeSettings } from "../data/settings.ts";
import { useDocumentTheme, useResolvedTheme } from "../data/theme.ts";
import { useStore } from "../data/use-store.ts";
import { useDocumentLanguage, useLanguage, useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";
import { MenuButton, Navigation, useMenu } from "./navigation.tsx";
import { SearchBox } from "./search-box.tsx";

/** The frame around all pages. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const t = useText(shell);
  const menu = useMenu();
  useDocumentTheme();
  useDocumentLanguage();
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        {t("skip")}
      </a>
      <header className="top-bar">
        <div className="top-bar-inner">
          <Link href="/" className="brand">
            <img src="/mark.svg" alt="" width="26" height="26" />
            Ostrom
          </Link>
          <Navigation isOpen={menu.isOpen} />
          <SearchBox />
          <div className="top-tools">
            <LinkIndicator />
            <LanguageButton />
            <ThemeButton />
            <MenuButton isOpen={menu.isOpen} toggle={menu.toggle} />
          </div>
        </div>
      </header>
      <main id="main" className="main" tabIndex={-1}>
        {children}
      </main>
      <Footer />
    </div>
  );
}

/** Whether news arrive, and from which node. */
function LinkIndicator() {
  const t = useText(shell);
  const node = useNode();
  const state = useStore(node.socket().state);
  return (
    <span
      className="link-state"
      data-state={state}
      role="status"
      title={t("linkOf", { node: node.name, state: t(state) })}
    >
      {t(state)}
    </span>
  );
}

function LanguageButton() {
  const t = useText(shell);
  const language = useLanguage();
  return (
    <button
      type="button"
      className="icon-button"
      lang={language === "en" ? "zh-Hans" : "en"}
      onClick={() => changeSettings({ language: language === "en" ? "zh" : "en" })}
    >
      {t("languageTo")}
    </button>
  );
}

function ThemeButton() {
  const t = useText(shell);
  const theme = useResolvedTheme();
  const label = t("themeTo", { theme: t(theme) });
  return (
    <button
      type="button"
      className="icon-button"
      title={label}
      aria-label={label}
      onClick={() => changeSettings({ theme: theme === "dark" ? "light" : "dark" })}
    >
      <Icon name={theme === "dark" ? "sun" : "moon"} />
    </button>
  );
}

function Footer() {
  const t = useText(shell);
  const { chainId, chainName, services, version } = useConsole();
  return (
    <footer className="footer">
      <div className="footer-inner">
        <span>
          {chainName} {version}
        </span>
        {chainId === 0 ? null : <span>{t("chain", { id: String(chainId) })}</span>}
        <Link href="/settings">{t("settings")}</Link>
        {services.docs ? <a href="/docs/">{t("docs")}</a> : null}
        {services.index ? <a href="/api/v1/openapi.json">{t("api")}</a> : null}
      </div>
    </footer>
  );
}
