/** What a console server is started with: plain data, because it crosses from the supervisor's process to the console's. */
export type ConsoleOptions = {
  readonly host?: string | undefined;
  /** 0: the system chooses. */
  readonly port: number;
  /** Host names besides localhost and literal addresses that it answers to; "*": all. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly chainName: string;
  readonly nodes: readonly ConsoleNode[];
  /** PostgreSQL's connection string, or the folder of an embedded database; undefined: no index. */
  readonly database?: string | undefined;
  /** Folder of further Solidity compilers for verification. */
  readonly compilers?: string | undefined;
  /** Where pages are built; `dist` beside the sources unless told. */
  readonly dist?: string | undefined;
  /** Folder of the documentation's pages; without it they are built with the other pages. */
  readonly docs?: string | undefined;
};

export type ConsoleNode = {
  readonly name: string;
  /** http://127.0.0.1:8545 */
  readonly url: string;
  /** The node's folder on this machine: its operator secret opens to the index what strangers may not read. */
  readonly folder?: string | undefined;
};

/** What a console's process tells the one that started it. */
export type ConsoleReport =
  | { readonly kind: "ready"; readonly url: string }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

export const DEFAULT_CONSOLE_PORT = 8_500;
export const DEFAULT_CONSOLE_HOST = "127.0.0.1";
