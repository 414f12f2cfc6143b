import { existsSync, readdirSync } from "node:fs";
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bytes, type Failure, fail, fromHex, hex, must, ok, type Result, toHex } from "@ostrom/base";
import { isCheckpointKey } from "@ostrom/consensus";
import { validatorSchemeByName, validatorSchemeOfKey } from "@ostrom/crypto";
import { type ConsensusSecret, type PublicKey, parseConsensusSecret } from "./consensus-secret.ts";
import type { ConsensusKey } from "./epoch-sets.ts";
import { CONSENSUS_KEY_FILE, FURTHER_KEY_FILE, KEYS_FOLDER, readSecret, writeSecret } from "./key-files.ts";
import type { Log } from "./ports.ts";

/** In a node's folder of keys, in place of `consensus.key`: where its consensus keys are. */
const REMOTE_SIGNER_FILE = "remote-signer.json";

const ANSWER_TIMEOUT_MS = 2_000;
const RETRY_MS = 200;
const MAX_ANSWER_BYTES = 65_536;
/** More are given up: the signer has been away for long, and newer votes count. */
const MAX_WAITING = 1_024;
const CONFLICT = 409;

/** One call's answer. */
type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

/** How to reach a signer, and what it had when it was chosen. */
export type RemoteSignerSettings = {
  readonly url: string;
  readonly token: string;
  /** PEM of the certificate that the signer's is issued by, or of its own; "": the machine's authorities. */
  readonly certificate: string;
  readonly keys: readonly {
    readonly scheme: string;
    readonly publicKey: string;
    readonly proofOfPossession: string;
  }[];
  /** Public keys that sign epoch checkpoints. */
  readonly checkpointKeys?: readonly string[];
};

/** Reads `keys/remote-signer.json`. @returns undefined where there is none. Errors: `keys/exposed`, `keys/invalid`. */
export function readRemoteSigner(
  folder: string,
): Result<RemoteSignerSettings | undefined, Failure<"keys/exposed" | "keys/invalid">> {
  const path = join(folder, KEYS_FOLDER, REMOTE_SIGNER_FILE);
  if (!existsSync(path)) return ok(undefined);
  try {
    const text = readSecret(path);
    if (!text.ok) return text;
    const file = JSON.parse(text.value) as RemoteSignerSettings;
    const isWhole =
      [file.url, file.token, file.certificate].every((text) => typeof text === "string") &&
      /^https?:$/.test(new URL(file.url).protocol) &&
      areKeys(file.keys) &&
      areCheckpointKeys(file.checkpointKeys);
    if (isWhole) return ok(file);
  } catch {
    // Its text holds a secret, so nothing of it is shown.
  }
  return fail("keys/invalid", `${path} is no description of a signer: make it again with ostrom signer use`);
}

/** Asks a signer for its keys and writes `keys/remote-signer.json`, 0600. Errors: `signer/unreachable`, `signer/refused`. */
export async function useRemoteSigner(
  folder: string,
  signer: Omit<RemoteSignerSettings, "keys">,
): Promise<Result<RemoteSignerSettings, Failure>> {
  const answer = await new SignerLink({ ...signer, keys: [] })
    .ask("GET", "/keys", "")
    .catch((error: Error) => error);
  if (answer instanceof Error) return fail("signer/unreachable", `${signer.url}: ${answer.message}`);
  const { keys, checkpointKeys = [] } = answer.body as Pick<RemoteSignerSettings, "keys" | "checkpointKeys">;
  if (answer.status !== 200 || !Array.isArray(keys))
    return fail("signer/refused", `${signer.url}: ${String(answer.body["message"] ?? answer.status)}`);
  if (!areKeys(keys) || !areCheckpointKeys(checkpointKeys))
    return fail("signer/refused", `${signer.url}: what it names are no keys that validators vote with`);
  const settings = { ...signer, keys, checkpointKeys };
  const path = join(folder, KEYS_FOLDER, REMOTE_SIGNER_FILE);
  writeSecret(path, `${JSON.stringify(settings, undefined, 2)}\n`);
  return ok(settings);
}

function areKeys(keys: unknown): keys is RemoteSignerSettings["keys"] {
  return Array.isArray(keys) && keys.length > 0 && keys.every(isKey);
}

function areCheckpointKeys(keys: unknown): boolean {
  if (keys === undefined) return true;
  return Array.isArray(keys) && keys.every(isHexOfKey);
}

function isHexOfKey(text: unknown): boolean {
  const key = fromHex(String(text));
  return key.ok && isCheckpointKey(key.value);
}

/** Somebody must hold the secret: a node that votes with a key that nobody has would wait for ever. */
function isKey(entry: unknown): boolean {
  const { scheme, publicKey, proofOfPossession } = (entry ?? {}) as Readonly<Record<string, unknown>>;
  const [key, proof] = [publicKey, proofOfPossession].map((text) => fromHex(String(text)));
  return (
    key?.ok === true &&
    proof?.ok === true &&
    validatorSchemeByName(String(scheme))?.verifyPossession(key.value, proof.value) === true
  );
}

/** What others must know of the keys that a signer has. */
export function remotePublicKeys({ keys }: RemoteSignerSettings): readonly PublicKey[] {
  return keys.map(({ scheme, publicKey, proofOfPossession }) => ({
    schemeId: must(validatorSchemeByName(scheme), "schemes were checked").id,
    publicKey: hex(publicKey),
    proofOfPossession: hex(proofOfPossession),
  }));
}

/** The keys of a signer as a node uses them. Each signature is checked before it is used. */
export function remoteConsensusKeys(settings: RemoteSignerSettings, log: Log): readonly ConsensusKey[] {
  return remoteKeys(
    settings,
    settings.keys.map(({ publicKey }) => publicKey),
    log,
  );
}

/** The keys of a signer that sign epoch checkpoints. */
export function remoteCheckpointKeys(settings: RemoteSignerSettings, log: Log): readonly ConsensusKey[] {
  return remoteKeys(settings, settings.checkpointKeys ?? [], log);
}

function remoteKeys(
  settings: RemoteSignerSettings,
  publicKeys: readonly string[],
  log: Log,
): readonly ConsensusKey[] {
  const link = new SignerLink(settings);
  let waiting = 0;
  return publicKeys.map((text) => {
    const publicKey = hex(text);
    const scheme = must(validatorSchemeOfKey(publicKey), "schemes were checked");
    return {
      publicKey,
      sign: () => {
        throw new Error("this key is on another machine");
      },
      signElsewhere: async (message, isMoot) => {
        if (waiting >= MAX_WAITING) return undefined;
        waiting++;
        try {
          return await link.sign(publicKey, message, isMoot, log, (signature) =>
            scheme.verify(publicKey, message, signature),
          );
        } finally {
          waiting--;
        }
      },
    };
  });
}

/** The consensus keys of a folder, for a signer: `consensus.key` and further ones. Errors: `keys/unreadable`, `keys/exposed`, `keys/invalid`. */
export function readConsensusSecrets(
  folder: string,
): Result<readonly ConsensusSecret[], Failure<"keys/unreadable" | "keys/exposed" | "keys/invalid">> {
  const keys = join(folder, KEYS_FOLDER);
  const isConsensusKey = (name: string): boolean =>
    name === CONSENSUS_KEY_FILE || FURTHER_KEY_FILE.test(name);
  const names = existsSync(keys) ? readdirSync(keys).filter(isConsensusKey) : [];
  if (names.length === 0)
    return fail("keys/unreadable", `there is no consensus key in ${keys}: put consensus.key there`);
  const secrets: ConsensusSecret[] = [];
  for (const name of names.sort()) {
    const path = join(keys, name);
    const text = readSecret(path);
    if (!text.ok) return text;
    const secret = parseConsensusSecret(text.value);
    if (!secret.ok) return fail("keys/invalid", `${path}: ${secret.error.message}`);
    secrets.push(secret.value);
  }
  return ok(secrets);
}

/** Connections to one signer. */
class SignerLink {
  readonly #settings: RemoteSignerSettings;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #isSecure: boolean;
  #isAway = false;

  constructor(settings: RemoteSignerSettings) {
    this.#settings = settings;
    this.#isSecure = settings.url.startsWith("https:");
    const ca = settings.certificate === "" ? {} : { ca: settings.certificate };
    this.#agent = this.#isSecure
      ? new HttpsAgent({ keepAlive: true, minVersion: "TLSv1.3", ...ca })
      : new HttpAgent({ keepAlive: true });
  }

  /** Asks until there is a signature, a refusal, or nobody needs it. */
  async sign(
    publicKey: Bytes,
    message: Bytes,
    isMoot: () => boolean,
    log: Log,
    isValid: (signature: Bytes) => boolean,
  ): Promise<Bytes | undefined> {
    const body = JSON.stringify({ publicKey: toHex(publicKey), message: toHex(message) });
    while (!isMoot()) {
      const answer = await this.ask("POST", "/sign", body).catch((error: Error) => error);
      if (!(answer instanceof Error) && answer.status === CONFLICT) {
        log("error", "the signer refuses: it has signed otherwise", { reason: answer.body["message"] });
        return undefined;
      }
      const signature = answer instanceof Error ? undefined : readSignature(answer);
      if (signature !== undefined && isValid(signature)) {
        if (this.#isAway) log("info", "the signer answers again", { url: this.#settings.url });
        this.#isAway = false;
        return signature;
      }
      if (!this.#isAway)
        log("warn", "the signer gives no signature: it is asked again", { reason: reasonOf(answer) });
      this.#isAway = true;
      await sleep(RETRY_MS, undefined, { ref: false });
    }
    return undefined;
  }

  /** One call. Rejects if nobody answers in time. */
  ask(method: "GET" | "POST", path: string, body: string): Promise<Answer> {
    const { url, token } = this.#settings;
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      timeout: ANSWER_TIMEOUT_MS,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    };
    return new Promise((resolve, reject) => {
      const send = this.#isSecure ? httpsRequest : httpRequest;
      const request = send(new URL(path, url), options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > MAX_ANSWER_BYTES) request.destroy(new Error("the answer is too long"));
        });
        response.on("end", () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Answer["body"] });
          } catch {
            reject(new Error("the answer is no JSON"));
          }
        });
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  }
}

function readSignature({ status, body }: Answer): Bytes | undefined {
  const { signature } = body;
  const bytes = status === 200 && typeof signature === "string" ? fromHex(signature) : undefined;
  return bytes?.ok === true ? bytes.value : undefined;
}

function reasonOf(answer: Answer | Error): string {
  return answer instanceof Error
    ? answer.message
    : String(answer.body["message"] ?? "its signature is not valid");
}
