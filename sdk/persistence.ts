import { equalBytes, Hash, toHex } from "@ostrom/base";
import { type ValidatorSet, validatorSetHash } from "@ostrom/consensus";
import { epochOfHeight } from "@ostrom/execution";
import { decodeClaim, readSet, verifyCertified } from "./certified-header.ts";
import type { LightChain } from "./chain.ts";
import { accept, attemptNow, type LightResult, refuse } from "./failure.ts";
import { readArray, readCount, readData, readFields, readHash } from "./read-json.ts";
import type { NamedSet, Trust } from "./trust.ts";

/** Where a light client keeps what it has verified: a file, localStorage, IndexedDB. Whoever can write there can make it believe
 * anything, as whoever can change the program can. */
export type LightStorage = {
  readonly load: () => Promise<string | undefined>;
  readonly save: (text: string) => Promise<void>;
};

const FORMAT = 1;
const MAX_EPOCHS = 65_536;

/** What is kept; undefined for a root, which is given anew at each start. */
export function formatTrust(chain: LightChain, trust: Trust): string | undefined {
  const { certified } = trust.head;
  if (certified === undefined) return undefined;
  return JSON.stringify({
    format: quantity(FORMAT),
    genesisHash: toHex(chain.genesisHash),
    header: toHex(certified.bytes.header),
    certificate: toHex(certified.bytes.certificate),
    set: setJson(trust.set),
    ...(trust.previous === undefined ? {} : { previous: setJson(trust.previous) }),
    epochs: [...trust.epochs].map(([epoch, { setHash, namedAt }]) => ({
      epoch: quantity(epoch),
      setHash: toHex(setHash),
      namedAt: quantity(namedAt),
    })),
  });
}

function quantity(value: number): string {
  return `0x${value.toString(16)}`;
}

function setJson({ epoch, schemeId, validators }: ValidatorSet): object {
  return {
    epoch: quantity(epoch),
    schemeId: quantity(schemeId),
    validators: validators.map(({ address, consensusKey, transportKey, weight }) => ({
      address: toHex(address),
      consensusKey: toHex(consensusKey),
      transportKey: toHex(transportKey),
      weight: quantity(weight),
    })),
  };
}

/** Reads what `formatTrust` wrote. The certificate is verified again.
 * Errors: `light/storage` (another chain, or damaged), `light/from-the-future` (the clock was set back). */
export function parseTrust(chain: LightChain, text: string, nowMs: number): LightResult<Trust> {
  const read = attemptNow(() => {
    const fields = readFields(parseJson(text), "stored trust");
    if (readCount(fields.format, "format") !== FORMAT) refuse("light/storage", "an unknown format");
    if (!equalBytes(readHash(fields.genesisHash, "genesisHash"), chain.genesisHash)) {
      refuse("light/storage", "another chain's");
    }
    const claim = accept(
      decodeClaim(
        {
          header: readData(fields.header, "header"),
          certificate: readData(fields.certificate, "certificate"),
        },
        chain.rules.hashId,
      ),
    );
    const set = accept(readSet(fields.set));
    const epochs = new Map(readArray(fields.epochs, "epochs", MAX_EPOCHS).map(readNamedSet));
    const previous = fields.previous === undefined ? undefined : accept(readSet(fields.previous));
    for (const one of previous === undefined ? [set] : [previous, set]) checkNamed(chain, epochs, one);
    const epoch = epochOfHeight(chain.epochs, claim.header.number);
    const signed = [set, previous].find((one) => one?.epoch === epoch);
    if (signed === undefined) return refuse("light/storage", "the head is of neither set's epoch");
    const certified = accept(verifyCertified(chain, signed, claim, nowMs));
    const { height, hash, header } = certified;
    return { head: { height, hash, header, certified }, set, previous, epochs };
  });
  if (read.ok || read.error.code === "light/from-the-future") return read;
  return { ok: false, error: { code: "light/storage", message: read.error.message } };
}

function checkNamed(chain: LightChain, epochs: ReadonlyMap<number, NamedSet>, set: ValidatorSet): void {
  const named = epochs.get(set.epoch);
  if (named === undefined || !equalBytes(named.setHash, validatorSetHash(chain.domain, set))) {
    refuse("light/storage", "a set is not the one named");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse("light/storage", "what is stored is no JSON");
  }
}

function readNamedSet(entry: unknown): readonly [number, NamedSet] {
  const fields = readFields(entry, "epoch");
  const setHash = Hash(readHash(fields.setHash, "setHash"));
  return [readCount(fields.epoch, "epoch"), { setHash, namedAt: readCount(fields.namedAt, "namedAt") }];
}
