import { isIP } from "node:net";
import type { Bytes } from "@ostrom/base";

/** An address that can be dialed. In records the host is an IP address in its shortest form; elsewhere it may be a name. */
export type HostPort = { readonly host: string; readonly port: number };

/** Who shares it is assumed to be one owner: IPv4 /16, IPv6 /32. Addresses of a machine or a local network are a group of their own. */
export type NetworkGroup = string;

/** Addresses are worth what it costs to have many of them: one owner has all of a group for little, and few groups.
 * Sources: Heilman et al. 2015 (ePrint 2015/263), 7; Bitcoin's addrman. */
export function groupOf(host: string): NetworkGroup {
  const bytes = hostToBytes(host);
  // A name says nothing about where it leads; names come from an operator or the chain's state, never from strangers.
  if (bytes === undefined) return `name:${host}`;
  if (!isRoutable(host)) return "local";
  if (bytes.length === 4) return `4:${bytes[0]}.${bytes[1]}`;
  return `6:${[...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Whether an address can be reached from anywhere: private, loopback, link-local, multicast and reserved ones cannot.
 * Source: IANA special-purpose address registries (RFC 6890). */
export function isRoutable(host: string): boolean {
  const bytes = hostToBytes(host);
  if (bytes === undefined) return true;
  if (bytes.length === 4) return isRoutableV4(bytes);
  const [first = 0, second = 0] = bytes;
  // 2000::/3 is what has been given out; without documentation, without what protocols have for themselves (2001::/23), and without 6to4
  // and Teredo, which hold addresses of IPv4.
  if (first >> 5 !== 1) return false;
  if (first === 0x20 && second === 0x02) return false;
  if (first === 0x3f && second === 0xff && bytes[2]! < 0x10) return false;
  if (first !== 0x20 || second !== 0x01) return true;
  return bytes[2]! >= 0x02 && !(bytes[2] === 0x0d && bytes[3] === 0xb8);
}

function isRoutableV4(bytes: Bytes): boolean {
  const [a = 0, b = 0, c = 0] = bytes;
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  if (a === 169 && b === 254) return false;
  if (a === 172 && b >= 16 && b < 32) return false;
  if (a === 192 && b === 88 && c === 99) return false;
  if (a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)))) return false;
  if (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) return false;
  return !(a === 203 && b === 0 && c === 113);
}

/** An IP address as 4 or 16 bytes; IPv4 written as IPv6 becomes IPv4. @returns undefined for what is no IP address. */
export function hostToBytes(host: string): Bytes | undefined {
  const family = isIP(host);
  if (family === 4) return Uint8Array.from(host.split("."), Number);
  if (family !== 6 || host.includes("%")) return undefined;
  const bytes = bytesOfV6(host);
  const isMapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.slice(12) : bytes;
}

function bytesOfV6(host: string): Bytes {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host);
  const pair = (high: string, low: string): string => ((Number(high) << 8) | Number(low)).toString(16);
  const text =
    dotted === null ? host : `${dotted[1]}${pair(dotted[2]!, dotted[3]!)}:${pair(dotted[4]!, dotted[5]!)}`;
  const [head = "", tail] = text.split("::");
  const words = (part: string | undefined): readonly string[] =>
    part === undefined || part === "" ? [] : part.split(":");
  const [before, after] = [words(head), words(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const all = [...before, ...zeros, ...after].map((word) => Number.parseInt(word, 16));
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

/** The one form in which an address is compared: IPv6 in groups without leading zeros and without `::`. */
export function hostFromBytes(bytes: Bytes): string {
  if (bytes.length === 4) return bytes.join(".");
  const words: string[] = [];
  for (let index = 0; index < bytes.length; index += 2)
    words.push(((bytes[index]! << 8) | bytes[index + 1]!).toString(16));
  return words.join(":");
}

/** An address of IP in the form in which it is compared; anything else as it is. */
export function canonicalHost(host: string): string {
  const bytes = hostToBytes(host);
  return bytes === undefined ? host : hostFromBytes(bytes);
}

/** Whose bans and connections are counted together: one address of IPv4, half an address of IPv6, of which one machine has 2^64. */
export function machineOf(host: string): string {
  const bytes = hostToBytes(host);
  return bytes === undefined || bytes.length === 4 ? canonicalHost(host) : hostFromBytes(bytes.slice(0, 8));
}
