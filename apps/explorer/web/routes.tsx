import { type ComponentType, lazy } from "react";
import type { shell } from "./i18n/shell.ts";

type PageModule = { readonly default: ComponentType };

type RouteDefinition = {
  /** Parameters after colons; the page reads them by wouter's `useParams`. */
  readonly path: string;
  readonly load: () => Promise<PageModule>;
  /** In the navigation, under this name. */
  readonly label?: keyof (typeof shell)["en"];
};

/** Every page: its path and its file. Pages are loaded when they are first shown. The first that fits is taken. */
const DEFINITIONS: readonly RouteDefinition[] = [
  { path: "/", load: () => import("./pages/overview.tsx"), label: "overview" },
  { path: "/blocks", load: () => import("./pages/blocks.tsx"), label: "blocks" },
  { path: "/block/:id", load: () => import("./pages/block.tsx") },
  { path: "/tx/:hash", load: () => import("./pages/transaction.tsx") },
  { path: "/consensus", load: () => import("./pages/consensus.tsx"), label: "consensus" },
  { path: "/validators", load: () => import("./pages/validators.tsx"), label: "validators" },
  { path: "/peers", load: () => import("./pages/peers.tsx"), label: "peers" },
  { path: "/address/:address", load: () => import("./pages/address.tsx") },
  { path: "/contract/:address", load: () => import("./pages/contract.tsx") },
  { path: "/tokens", load: () => import("./pages/tokens.tsx"), label: "tokens" },
  { path: "/token/:address", load: () => import("./pages/token.tsx") },
  { path: "/mempool", load: () => import("./pages/mempool.tsx"), label: "mempool" },
  { path: "/search", load: () => import("./pages/search.tsx") },
  { path: "/settings", load: () => import("./pages/settings.tsx") },
];

export type PageRoute = { readonly path: string; readonly Page: ComponentType };

export const ROUTES: readonly PageRoute[] = DEFINITIONS.map(({ path, load }) => ({ path, Page: lazy(load) }));

/** What every other path shows. */
export const NotFound: ComponentType = lazy(() => import("./pages/not-found.tsx"));

export const NAVIGATION = DEFINITIONS.flatMap(({ path, label }) =>
  label === undefined ? [] : [{ path, label }],
);

/** Loads a page's code before it is asked for. */
export function preload(path: string): void {
  void DEFINITIONS.find((route) => route.path === path)?.load();
}
