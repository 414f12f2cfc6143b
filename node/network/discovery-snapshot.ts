import {
  type Bytes,
  type Failure,
  fail,
  fromHex,
  type Hash,
  ok,
  type Result,
  toHexDigits,
} from "@ostrom/base";
import type { DiscoverySnapshot, StoredPeer } from "./discovery-types.ts";
import { isPeerId, kindOfPeerId } from "./identity-kinds.ts";
import { canonicalHost, type HostPort } from "./network-group.ts";
import { decodeRecord } from "./node-record.ts";
import type { StandingRecord } from "./peer-standing.ts";
import type { PeerAddress } from "./types.ts";

const SNAPSHOT_FORMAT = 1;
const KEY_BYTES = 32;
const MAX_PORT = 65_535;
/** More than any table holds. */
const MAX_ENTRIES = 65_536;

/** Writes what a node keeps of its peers, as JSON. It holds the book's key: for its owner alone. */
export function formatSnapshot({ key, sequence, anchors, standing, peers }: DiscoverySnapshot): string {
  const rows = peers.map((peer) => ({
    peer: peer.peerId,
    ...peer.address,
    record: peer.record === undefined ? "" : toHexDigits(peer.record.bytes),
    source: peer.source,
    tried: peer.isTried,
    failures: peer.failures,
    attempt: peer.lastAttemptMs,
    success: peer.lastSuccessMs,
  }));
  const body = { format: SNAPSHOT_FORMAT, key: toHexDigits(key), sequence, anchors, standing, peers: rows };
  return `${JSON.stringify(body)}\n`;
}

/** Reads what `formatSnapshot` wrote. An entry that is damaged is left out; a file that is none is refused as a whole.
 * Errors: `discovery/unreadable`. */
export function readSnapshot(
  text: string,
  genesisHash: Hash,
): Result<DiscoverySnapshot, Failure<"discovery/unreadable">> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return fail("discovery/unreadable", "not JSON");
  }
  const file = fieldsOf(parsed);
  const key = keyOf(file["key"]);
  if (file["format"] !== SNAPSHOT_FORMAT || key === undefined || !isCount(file["sequence"]))
    return fail("discovery/unreadable", "no list of peers of this format");
  return ok({
    key,
    sequence: file["sequence"],
    anchors: listOf(file["anchors"]).flatMap((entry) => readAnchor(fieldsOf(entry))),
    standing: listOf(file["standing"]).flatMap((entry) => readStanding(fieldsOf(entry))),
    peers: listOf(file["peers"]).flatMap((entry) => readPeer(fieldsOf(entry), genesisHash)),
  });
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_ENTRIES) : [];
}

function keyOf(value: unknown): Bytes | undefined {
  const bytes = typeof value === "string" ? fromHex(value) : undefined;
  return bytes?.ok === true && bytes.value.length === KEY_BYTES ? bytes.value : undefined;
}

function readAnchor({ peerId, host, port }: Fields): readonly PeerAddress[] {
  const address = readAddress(host, port);
  return address !== undefined && typeof peerId === "string" && isPeerId(peerId)
    ? [{ peerId, ...address }]
    : [];
}

function readAddress(host: unknown, port: unknown): HostPort | undefined {
  const isGood = typeof host === "string" && host !== "" && isCount(port) && port > 0 && port <= MAX_PORT;
  return isGood ? { host: canonicalHost(host), port } : undefined;
}

function readStanding({ subject, points, atMs, bannedUntilMs, bans }: Fields): readonly StandingRecord[] {
  const isGood =
    typeof subject === "string" &&
    typeof points === "number" &&
    Number.isFinite(points) &&
    isCount(atMs) &&
    isCount(bannedUntilMs) &&
    isCount(bans);
  return isGood ? [{ subject, points, atMs, bannedUntilMs, bans }] : [];
}

function readPeer(fields: Fields, genesisHash: Hash): readonly StoredPeer[] {
  const { peer, host, port, record: recordHex, source, tried, failures, attempt, success } = fields;
  const address = readAddress(host, port);
  const isGood =
    typeof peer === "string" &&
    isPeerId(peer) &&
    typeof recordHex === "string" &&
    typeof source === "string" &&
    isCount(failures) &&
    isCount(attempt) &&
    isCount(success);
  if (!isGood || address === undefined) return [];
  const bytes = recordHex === "" ? undefined : fromHex(recordHex);
  const record = bytes?.ok === true ? decodeRecord(bytes.value, genesisHash, kindOfPeerId(peer)) : undefined;
  if (recordHex !== "" && (record?.ok !== true || record.value.record.peerId !== peer)) return [];
  return [
    {
      peerId: peer,
      address,
      record: record?.ok === true ? record.value : undefined,
      source,
      isTried: tried === true,
      failures,
      lastAttemptMs: attempt,
      lastSuccessMs: success,
    },
  ];
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
