/** A page of the navigation. */
export type DocsPage = {
  /** Markdown, from the repository's root. */
  readonly file: string;
  /** In the navigation; the page's own first heading may be longer. */
  readonly title: string;
};

export type DocsSection = { readonly title: string; readonly pages: readonly DocsPage[] };

/** The page that is made of the methods' own descriptions, and where it stands among the files. */
export const RPC_REFERENCE_FILE = "docs/rpc-reference.md";

/** What the navigation shows, in the order in which it is read. The first page is the site's front. */
export const DOCS_SECTIONS: readonly DocsSection[] = [
  {
    title: "Begin",
    pages: [
      { file: "docs/start.md", title: "Start in one minute" },
      { file: "docs/tutorial.md", title: "How the chain works, by running it" },
      { file: "docs/development-chain.md", title: "The development chain" },
      { file: "docs/explorer.md", title: "The explorer, and “prove this”" },
    ],
  },
  {
    title: "Run a chain",
    pages: [
      { file: "docs/consortium.md", title: "A consortium on four machines" },
      { file: "docs/public-chain.md", title: "Join a public chain" },
      { file: "docs/operate.md", title: "Operate a node" },
      { file: "docs/operations.md", title: "Running a node for years" },
      { file: "docs/metrics.md", title: "Metrics, health, alerts" },
      { file: "docs/launching-and-upgrading.md", title: "Launch, upgrade, open" },
      { file: "docs/membership-roles.md", title: "Roles of members" },
      { file: "docs/staking-roles.md", title: "Roles of stakers" },
    ],
  },
  {
    title: "Write contracts and applications",
    pages: [
      { file: "docs/contracts.md", title: "Contracts in each language" },
      { file: "docs/accounts.md", title: "Accounts and their keys" },
      { file: "docs/index-and-api.md", title: "Index, REST, verified sources" },
      { file: "docs/tracing.md", title: "Traces and simulations" },
      { file: "docs/analytics.md", title: "Analytics: Parquet and DuckDB" },
      { file: "sdk/README.md", title: "The sdk and its light client" },
      { file: "docs/program-gas.md", title: "Gas of programs" },
    ],
  },
  {
    title: "Understand",
    pages: [
      { file: "docs/security.md", title: "Security model" },
      { file: "docs/consensus.md", title: "Which consensus for what" },
      { file: "docs/suites.md", title: "Suites of cryptography" },
      { file: "docs/cryptography.md", title: "Cryptography" },
      { file: "docs/block-gas-limit.md", title: "The block gas limit" },
      { file: "docs/performance.md", title: "Performance" },
      { file: "ARCHITECTURE.md", title: "Architecture" },
      { file: "GLOSSARY.md", title: "Glossary" },
    ],
  },
  {
    title: "Reference",
    pages: [
      { file: RPC_REFERENCE_FILE, title: "JSON-RPC" },
      { file: "docs/command.md", title: "The command" },
    ],
  },
];
