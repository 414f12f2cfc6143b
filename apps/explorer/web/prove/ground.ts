import { Epoch, hashFromHex, toHex } from "@ostrom/base";
import { consensusDomain, validatorSetHash } from "@ostrom/consensus";
import {
  type AnyGenesis,
  consensusSchemeOf,
  genesisHash,
  hashIdOf,
  parseGenesis,
  parseSuite,
} from "@ostrom/execution";
import { formatCheckpoint, httpServer, parseCheckpoint } from "@ostrom/sdk";
import type { ChainPin, HexText, ProofAnchor, ProofFailure, ProofNode } from "./proof-model.ts";

/** What everything is proved from. */
export type Ground = {
  readonly pin: ChainPin;
  /** Of the chain's hash function. */
  readonly hashId: number;
  /** genesis.json, where the server gives the whole of it. */
  readonly genesis: unknown;
  /** The line from which a light client starts where there is no genesis.json. */
  readonly checkpoint: string;
};

export type Grounded = { readonly ground: Ground } | { readonly failure: ProofFailure };

const ENGINE_WITH_CERTIFICATES = "simplex";
const HASH = /^0x[0-9a-f]{64}$/;

/** Finds what the browser trusts, and compares it with what it trusted before. Where the server gives genesis.json, both hashes are computed
 * from it. Otherwise the first epoch's validators are taken on trust once, as the nodes name them, and pinned. */
export async function groundOf(anchor: ProofAnchor, nodes: readonly ProofNode[]): Promise<Grounded> {
  const found = await findGround(anchor, nodes);
  if ("failure" in found) return found;
  const { pin } = found.ground;
  const { pinned, claimedHash, checkpoint } = anchor;
  if (claimedHash !== undefined && claimedHash !== pin.genesisHash) {
    return failed(
      "anchor/inconsistent",
      `the server calls it ${claimedHash}, but its hash is ${pin.genesisHash}`,
    );
  }
  if (pinned !== undefined && (pinned.genesisHash !== pin.genesisHash || pinned.setHash !== pin.setHash)) {
    return failed("anchor/changed", `pinned: ${pinned.genesisHash}; offered: ${pin.genesisHash}`);
  }
  const given = checkpoint === undefined ? undefined : parseCheckpoint(checkpoint);
  if (given?.ok === false) return failed(given.error.code, given.error.message);
  if (given !== undefined && toHex(given.value.genesisHash) !== pin.genesisHash) {
    return failed("anchor/changed", `the checkpoint is of ${toHex(given.value.genesisHash)}`);
  }
  return found;
}

async function findGround(anchor: ProofAnchor, nodes: readonly ProofNode[]): Promise<Grounded> {
  const parsed = parseGenesis(anchor.genesis);
  if (parsed.ok) return groundOfGenesis(parsed.value, anchor.genesis);
  const known = readParameters(anchor.genesis);
  if (known === undefined || anchor.claimedHash === undefined) {
    return failed("anchor/none", "the server offers no genesis of a chain with votes");
  }
  if (known.engine !== ENGINE_WITH_CERTIFICATES) return withoutCertificates(known.engine);
  const setHash = anchor.pinned?.setHash ?? (await firstSetHash(nodes));
  if (setHash === undefined) return failed("light/unreachable", "no node names the first validators");
  return groundOfPin({ genesisHash: anchor.claimedHash, setHash }, known.hashId, undefined);
}

function groundOfGenesis(genesis: AnyGenesis, json: unknown): Grounded {
  if (genesis.consensus.engine !== ENGINE_WITH_CERTIFICATES)
    return withoutCertificates(genesis.consensus.engine);
  const hash = genesisHash(genesis);
  const { hashId } = genesis.rules;
  const { schemeId, validators } = genesis.validatorSet;
  const domain = consensusDomain(hash, hashId, consensusSchemeOf(genesis.suite).id);
  const setHash = toHex(validatorSetHash(domain, { epoch: Epoch(0), schemeId, validators }));
  return groundOfPin({ genesisHash: toHex(hash), setHash }, hashId, json);
}

/** With the checkpoint that genesis itself is. */
function groundOfPin(pin: ChainPin, hashId: number, genesis: unknown): Grounded {
  const hash = hashFromHex(pin.genesisHash);
  const setHash = hashFromHex(pin.setHash);
  const checkpoint = formatCheckpoint({ genesisHash: hash, height: 0, hash, setHash });
  return { ground: { pin, hashId, genesis, checkpoint } };
}

/** What is needed of the parameters' text; the light client compares its hash with what genesis' header says. */
function readParameters(answer: unknown): { readonly engine: string; readonly hashId: number } | undefined {
  try {
    const { parameters } = answer as { readonly parameters: string };
    const { consensus, suite } = JSON.parse(parameters) as {
      readonly consensus: { readonly engine: string };
      readonly suite: unknown;
    };
    const read = parseSuite(suite);
    return read.ok ? { engine: consensus.engine, hashId: hashIdOf(read.value) } : undefined;
  } catch {
    return undefined;
  }
}

async function firstSetHash(nodes: readonly ProofNode[]): Promise<HexText | undefined> {
  for (const { url } of nodes) {
    const [answer] = await httpServer(url).ask([{ method: "ostrom_getValidators", params: ["0x0"] }]);
    const { setHash } = ((answer?.ok === true ? answer.value : undefined) ?? {}) as {
      readonly setHash?: unknown;
    };
    if (typeof setHash === "string" && HASH.test(setHash)) return setHash as HexText;
  }
  return undefined;
}

function withoutCertificates(engine: string): Grounded {
  return failed("anchor/no-certificates", `engine ${engine}`);
}

function failed(code: string, message: string): Grounded {
  return { failure: { code, message } };
}
