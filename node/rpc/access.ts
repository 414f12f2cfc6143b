import { isIP } from "node:net";

/** Who may speak to the server from inside a browser.
 *
 * A page that a user happens to open can send requests to addresses of the user's own machine. Two checks stop it:
 * - Host: a name that an attacker controls can be made to resolve to 127.0.0.1 (DNS rebinding), and then the browser
 *   takes the page for one of ours. Only known names are served. A literal IP address cannot be rebound, so it is fine.
 * - Origin: a page may only read answers, or send JSON at all, if its origin is on the list. Programs that are no
 *   browsers send no Origin. */
export type AccessRules = {
  /** @returns why a Host header is refused, or undefined. */
  readonly refuseHost: (host: string | undefined) => string | undefined;
  /** @returns why an Origin header is refused, or undefined. */
  readonly refuseOrigin: (origin: string | undefined) => string | undefined;
};

const ANY = "*";

/** Pages served from the user's own machine, and wallets' browser extensions. */
const OWN_ORIGIN =
  /^(?:https?:\/\/(?:(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?|(?:chrome|moz|safari-web)-extension:\/\/[A-Za-z0-9._-]+)$/;

/** @param allowedHosts names besides localhost and IP addresses; "*" allows all.
 * @param allowedOrigins origins (https://app.example.org) besides the user's own; "*" allows all. */
export function createAccessRules(settings: {
  readonly host: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}): AccessRules {
  const hosts = new Set(["localhost", settings.host, ...settings.allowedHosts].map(hostName));
  const origins = new Set(settings.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, "")));
  return {
    refuseHost: (host) => {
      if (host === undefined || settings.allowedHosts.includes(ANY)) return undefined;
      const name = hostName(host);
      if (isIP(name) !== 0 || name.endsWith(".localhost") || hosts.has(name)) return undefined;
      return `host ${quoted(host)} is not allowed here: add it to rpc.allowedHosts if it is yours`;
    },
    refuseOrigin: (origin) => {
      if (origin === undefined || origins.has(ANY)) return undefined;
      const name = origin.toLowerCase();
      if (OWN_ORIGIN.test(name) || origins.has(name)) return undefined;
      return `origin ${quoted(origin)} is not allowed here: add it to rpc.allowedOrigins if it is yours`;
    },
  };
}

/** A Host header's name in lower case, without port, brackets and final dot. */
function hostName(host: string): string {
  const name = host.trim().toLowerCase();
  const bracketed = /^\[([^\]]*)\](?::[0-9]*)?$/.exec(name);
  if (bracketed !== null) return bracketed[1]!;
  if (isIP(name) !== 0) return name;
  return name.replace(/:[0-9]*$/, "").replace(/\.$/, "");
}

const MAX_SHOWN = 100;

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, MAX_SHOWN));
}
