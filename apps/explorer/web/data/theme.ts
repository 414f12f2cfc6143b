import { useEffect, useSyncExternalStore } from "react";
import { settingsStore } from "./settings.ts";
import { useStore } from "./use-store.ts";

const systemDark: MediaQueryList = matchMedia("(prefers-color-scheme: dark)");

function subscribeToSystem(listener: () => void): () => void {
  systemDark.addEventListener("change", listener);
  return () => systemDark.removeEventListener("change", listener);
}

/** The theme that is shown: the chosen one, or else the system's. */
export function useResolvedTheme(): "light" | "dark" {
  const { theme } = useStore(settingsStore);
  const isDark = useSyncExternalStore(subscribeToSystem, () => systemDark.matches);
  if (theme !== "system") return theme;
  return isDark ? "dark" : "light";
}

/** Keeps the document in the theme that is shown. */
export function useDocumentTheme(): void {
  const theme = useResolvedTheme();
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
}
