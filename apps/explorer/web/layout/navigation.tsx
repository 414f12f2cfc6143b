import { useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";
import { NAVIGATION, preload } from "../routes.tsx";

/** The button that opens the pages' list where there is no room for it. */
export function useMenu() {
  const [isOpen, setOpen] = useState(false);
  const [path] = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu
  useEffect(() => setOpen(false), [path]);
  return { isOpen, toggle: () => setOpen(!isOpen) };
}

export function MenuButton({ isOpen, toggle }: { readonly isOpen: boolean; readonly toggle: () => void }) {
  const t = useText(shell);
  return (
    <button
      type="button"
      className="icon-button menu-button"
      aria-expanded={isOpen}
      aria-controls="navigation"
      aria-label={t("menu")}
      onClick={toggle}
    >
      <Icon name={isOpen ? "close" : "menu"} />
    </button>
  );
}

/** The pages. What a link leads to is loaded when it is pointed at. */
export function Navigation({ isOpen }: { readonly isOpen: boolean }) {
  const t = useText(shell);
  const [path] = useLocation();
  return (
    <nav id="navigation" className="navigation" data-open={isOpen} aria-label={t("navigation")}>
      {NAVIGATION.map(({ path: href, label }) => (
        <Link
          key={href}
          href={href}
          aria-current={isAt(path, href) ? "page" : undefined}
          onPointerEnter={() => preload(href)}
          onFocus={() => preload(href)}
        >
          {t(label)}
        </Link>
      ))}
    </nav>
  );
}

function isAt(path: string, href: string): boolean {
  return href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`);
}
