import { DEFAULT_LINK_PORT } from "@ostrom/runtime";
import { formatEther, getAddress, isAddress, isHex, parseEther, parseGwei } from "viem";
import { UsageError } from "./command.ts";

const HIGHEST_PORT = 65_535;

/** Reads an amount: "1.5" or "1.5ether" are coins, "3gwei", "100wei". */
export function readAmount(text: string, what: string): bigint {
  const match = /^(\d+(?:\.\d+)?)(wei|gwei|ether)?$/.exec(text.trim());
  if (match === null)
    throw new UsageError(`${what}: expected an amount such as 1.5, 30gwei or 100wei, found "${text}"`);
  const [, digits = "0", unit = "ether"] = match;
  if (unit === "wei") {
    if (digits.includes(".")) throw new UsageError(`${what}: there is nothing smaller than one wei`);
    return BigInt(digits);
  }
  return unit === "gwei" ? parseGwei(digits) : parseEther(digits);
}

/** Reads an address; capitals, if there are both kinds of letters, are a checksum (EIP-55). */
export function readAddress(text: string | undefined, what: string): `0x${string}` {
  if (text === undefined || !isAddress(text, { strict: false })) {
    throw new UsageError(`${what}: expected an address (0x and 40 hex digits), found "${text ?? "nothing"}"`);
  }
  const digits = text.slice(2);
  const hasChecksum = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (hasChecksum && !isAddress(text)) {
    throw new UsageError(`${what}: the capitals of ${text} are no checksum of it: a digit is wrong`);
  }
  return getAddress(`0x${digits.toLowerCase()}`);
}

export function readData(text: string, what: string): `0x${string}` {
  if (!isHex(text) || text.length % 2 !== 0)
    throw new UsageError(`${what}: expected hex bytes, found "${text}"`);
  return text;
}

/** "1,234.5 coins" without more digits than there are. */
export function showCoins(wei: bigint): string {
  const [whole = "0", fraction] = formatEther(wei).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Reads where a node is reached: HOST, HOST:PORT or [IPv6]:PORT. */
export function readHost(text: string, what: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? DEFAULT_LINK_PORT : Number(match[3]);
  if (host === undefined || port < 1 || port > HIGHEST_PORT) {
    throw new UsageError(`${what}: expected HOST, HOST:PORT or [IPv6]:PORT, found "${text}"`);
  }
  return { host, port };
}
