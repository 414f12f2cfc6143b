// Before the first paint: the theme and the language that were chosen last, so that nothing flashes.
const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.dataset.theme = isDark ? "dark" : "light";
try {
  const { theme, language } = JSON.parse(localStorage.getItem("ostrom.settings") ?? "{}");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const wanted = language === "en" || language === "zh" ? language : navigator.language;
  document.documentElement.lang = wanted.startsWith("zh") ? "zh-Hans" : "en";
} catch {
  // Storage is closed to this page: the system's theme it is.
}
