import { Link } from "wouter";
import { Page } from "../components/page.tsx";
import { EmptyState } from "../components/states.tsx";
import { useText } from "../i18n/language.ts";
import { notFound } from "../i18n/not-found.ts";

/** For paths that no page has. */
export default function NotFoundPage() {
  const t = useText(notFound);
  return (
    <Page title={t("title")}>
      <EmptyState title={t("nothing")}>
        {t("advice")} <Link href="/">{t("home")}</Link>
      </EmptyState>
    </Page>
  );
}
