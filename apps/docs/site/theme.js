// Before the first paint, so that the page does not flash: what was chosen, else what the system has.
const STORED_THEME = "ostrom-theme";
const chosen = localStorage.getItem(STORED_THEME);
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
