const MAX_RESULTS = 12;
const MIN_QUERY = 2;
const EXCERPT = 140;
const root = document.documentElement.dataset.root;
const input = document.getElementById("search");
const results = document.getElementById("results");
let index;
let selected = -1;

document.getElementById("theme").addEventListener("click", () => {
  const { documentElement } = document;
  const isDark = documentElement.dataset.theme
    ? documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  documentElement.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("ostrom-theme", documentElement.dataset.theme);
});

const menu = document.getElementById("menu");
menu.addEventListener("click", () => {
  const isOpen = document.body.classList.toggle("menu-open");
  menu.setAttribute("aria-expanded", String(isOpen));
});

for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1500);
  });
}

async function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (input.value.trim().length < MIN_QUERY) return close();
  index ??= await (await fetch(`${root}/search.json`)).json();
  const found = index
    .map((entry) => ({ entry, score: scoreOf(entry, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, MAX_RESULTS);
  selected = -1;
  results.replaceChildren(...found.map(({ entry }, at) => resultOf(entry, at, words)));
  if (found.length === 0) {
    const nothing = document.createElement("li");
    nothing.className = "nothing";
    nothing.textContent = "Nothing found";
    results.append(nothing);
  }
  results.hidden = false;
  input.setAttribute("aria-expanded", "true");
}

/** All words must be there; in a heading they count most. */
function scoreOf({ title, heading, text }, words) {
  let score = 0;
  for (const word of words) {
    const inHeading = heading.toLowerCase().includes(word);
    const inTitle = title.toLowerCase().includes(word);
    const inText = text.toLowerCase().includes(word);
    if (!inHeading && !inTitle && !inText) return 0;
    score += (inHeading ? 10 : 0) + (inTitle ? 4 : 0) + (inText ? 1 : 0);
    if (heading.toLowerCase() === word) score += 20;
  }
  return score;
}

function resultOf({ address, title, heading, text }, at, words) {
  const item = document.createElement("li");
  item.id = `result-${at}`;
  item.setAttribute("role", "option");
  const link = document.createElement("a");
  link.href = `${root}/${address}`;
  link.tabIndex = -1;
  const head = document.createElement("strong");
  head.textContent = heading === title ? title : `${title}: ${heading}`;
  const place = Math.max(0, text.toLowerCase().indexOf(words[0]) - 40);
  const excerpt = document.createElement("span");
  excerpt.textContent = `${place > 0 ? "... " : ""}${text.slice(place, place + EXCERPT)}`;
  link.append(head, excerpt);
  item.append(link);
  return item;
}

function close() {
  results.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function select(at) {
  const options = [...results.querySelectorAll("[role=option]")];
  if (options.length === 0) return;
  selected = (at + options.length) % options.length;
  for (const [place, option] of options.entries())
    option.setAttribute("aria-selected", String(place === selected));
  options[selected].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", options[selected].id);
}

input.addEventListener("input", search);
input.addEventListener("focus", search);
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") select(selected + 1);
  else if (event.key === "ArrowUp") select(selected - 1);
  else if (event.key === "Enter") results.querySelectorAll("[role=option] a")[Math.max(0, selected)]?.click();
  else if (event.key === "Escape") {
    close();
    input.blur();
  } else return;
  event.preventDefault();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search")) close();
});
document.addEventListener("keydown", (event) => {
  const isTyping = /^(?:input|textarea|select)$/i.test(document.activeElement?.tagName ?? "");
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    input.focus();
  }
});
