import { isIP } from "node:net";

/** Who may speak to the console from inside a browser, as node/rpc has it for its own port: a page that somebody happens to open can send
 * requests to this machine, and a name that resolves to it makes that page one of ours (DNS rebinding). Only known Host names are
 * answered (a literal address cannot be rebound), and only the console's own pages may use what changes something. */
export type ConsoleAccess = {
  /** @returns why a Host header is refused, or undefined. */
  readonly refuseHost: (host: string | undefined) => string | undefined;
  /** @returns why a request from a page of another origin is refused, or undefined. Programs that are no browsers send no Origin. */
  readonly refuseOrigin: (origin: string | undefined, host: string | undefined) => string | undefined;
};

const MAX_SHOWN = 100;

/** @param allowedHosts names besides localhost and literal addresses; "*" allows all. */
export function createConsoleAccess(allowedHosts: readonly string[]): ConsoleAccess {
  const names = new Set(["localhost", ...allowedHosts.map((host) => host.toLowerCase())]);
  return {
    refuseHost: (host) => {
      const name = nameOf(host ?? "");
      if (names.has("*") || names.has(name) || isIP(name) !== 0 || name.endsWith(".localhost"))
        return undefined;
      return `host ${shown(host)} is not allowed here: ask by localhost or by the address`;
    },
    refuseOrigin: (origin, host) => {
      if (origin === undefined) return undefined;
      const isOwn = URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
      return isOwn ? undefined : `origin ${shown(origin)} may only read /api: this is another page's server`;
    },
  };
}

/** Of a Host header: in lower case, without port, brackets and final dot. */
function nameOf(host: string): string {
  const name = host.trim().toLowerCase();
  const bracketed = /^\[([^\]]*)\](?::[0-9]*)?$/.exec(name);
  if (bracketed !== null) return bracketed[1]!;
  return name.replace(/:[0-9]*$/, "").replace(/\.$/, "");
}

function shown(text: string | undefined): string {
  return JSON.stringify((text ?? "").slice(0, MAX_SHOWN));
}
