import { timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Failure, fail, fromHex, ok, type Result, toHex, toHexDigits } from "@ostrom/base";
import { sha256 } from "@ostrom/crypto";
import { createDisk, lockFolder, openWriteAheadLog, type WriteAheadLog } from "@ostrom/storage";
import { readCheckpointSecrets } from "./checkpoint-keys.ts";
import { type ConsensusSecret, publicKeyOfSecret, schemeOfSecret } from "./consensus-secret.ts";
import { machineEntropy } from "./machine.ts";
import type { Log } from "./ports.ts";
import { readConsensusSecrets } from "./remote-signer.ts";
import { encodeSigned, readStatement, SigningGuard } from "./signing-guard.ts";

// A validator's consensus keys on a machine of their own. README.md, "Remote signer", has the interface.

const LOG_FOLDER = "signer-log";
/** As @ostrom/storage names them. */
const LOG_FILE = /^log-\d{10}\.wal$/;
const MAX_BODY_BYTES = 4_096;
/** The log is rewritten when it has so many records, and twice as many as it needs: several keys may need more than this for good. */
const ROTATE_AT_RECORDS = 65_536;
const RECEIVE_TIMEOUT_MS = 5_000;
/** How often that is looked at. */
const CHECK_MS = 1_000;
const MAX_CONNECTIONS = 64;

export type RemoteSignerServerOptions = {
  /** Holds `keys/consensus.key` and others like it; the log of what was signed goes beside them. */
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  /** What a node must show. */
  readonly token: string;
  /** PEM of a certificate and its key; without them it speaks plain HTTP. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  /** These keys have never signed: a log may be begun. */
  readonly isFirst: boolean;
  readonly log: Log;
};

export type RemoteSignerServer = {
  readonly port: number;
  readonly keys: readonly SignerKey[];
  /** What was under way is answered; then the log is closed. */
  readonly stop: () => Promise<void>;
};

export type SignerKey = {
  readonly scheme: string;
  readonly publicKey: string;
  readonly proofOfPossession: string;
};

type Signer = {
  readonly secrets: ReadonlyMap<string, ConsensusSecret>;
  readonly guard: SigningGuard;
  readonly wal: WriteAheadLog;
  readonly log: Log;
  records: number;
  rotateAt: number;
};

type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

/** Starts a signer: one HTTP call a signature. What it signs is on its disk before the signature leaves, and nothing that contradicts it is signed.
 * Errors: those of reading keys; `signer/no-log` (there is no log, and it was not said that these keys are new).
 * Rejects with StorageError if the log is damaged or another signer has it, and with what listening rejects with. */
export async function startRemoteSigner(
  options: RemoteSignerServerOptions,
): Promise<Result<RemoteSignerServer, Failure>> {
  const secrets = readConsensusSecrets(options.folder);
  if (!secrets.ok) return secrets;
  const logFolder = join(options.folder, LOG_FOLDER);
  const hasLog = existsSync(logFolder) && readdirSync(logFolder).some((name) => LOG_FILE.test(name));
  if (!hasLog && !options.isFirst)
    return fail(
      "signer/no-log",
      `${logFolder} is not there: without it nobody knows what these keys have signed. Put it back; for keys that have never signed, add --first`,
    );
  mkdirSync(logFolder, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(join(options.folder, "signer.lock"), "this signer");
  const { log: wal, records } = await openWriteAheadLog(createDisk(logFolder), machineEntropy.bytes);
  const guard = new SigningGuard();
  for (const record of records) guard.replay(record);
  const checkpointSecrets = readCheckpointSecrets(options.folder);
  if (!checkpointSecrets.ok) return checkpointSecrets;
  const ofCheckpoints = checkpointSecrets.value.map(({ secret }) => secret);
  const byKey = new Map(
    [...secrets.value, ...ofCheckpoints].map(
      (key) => [toHexDigits(publicKeyOfSecret(key).publicKey), key] as const,
    ),
  );
  const signer: Signer = {
    secrets: byKey,
    guard,
    wal,
    log: options.log,
    records: records.length,
    rotateAt: ROTATE_AT_RECORDS,
  };
  const keys = secrets.value.map(describeKey);
  const checkpointKeys = ofCheckpoints.map((key) => toHex(publicKeyOfSecret(key).publicKey));
  const http = createHttp(options, signer, { keys, checkpointKeys });
  const port = await listen(http, options);
  return ok({
    port,
    keys,
    stop: async () => {
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeIdleConnections();
      });
      await wal.close();
      await lock.release();
      for (const { secret } of byKey.values()) secret.fill(0);
    },
  });
}

function describeKey(key: ConsensusSecret): SignerKey {
  const { publicKey, proofOfPossession } = publicKeyOfSecret(key);
  return {
    scheme: schemeOfSecret(key).name,
    publicKey: toHex(publicKey),
    proofOfPossession: toHex(proofOfPossession),
  };
}

function createHttp(
  { tls, token, log }: RemoteSignerServerOptions,
  signer: Signer,
  known: { readonly keys: readonly SignerKey[]; readonly checkpointKeys: readonly string[] },
): Server {
  const expected = sha256(new TextEncoder().encode(`Bearer ${token}`));
  const isKnown = ({ headers }: IncomingMessage): boolean =>
    timingSafeEqual(sha256(new TextEncoder().encode(headers.authorization ?? "")), expected);
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (!isKnown(request)) {
      log("warn", "somebody without the token asked the signer", { from: request.socket.remoteAddress });
      respond(response, refusal(401, "signer/unauthenticated", "the token is missing or wrong"));
    } else if (request.method === "GET" && request.url === "/keys") {
      respond(response, { status: 200, body: known });
    } else if (request.method === "POST" && request.url === "/sign") {
      receive(request, response, (body) => answer(signer, body));
    } else {
      respond(response, refusal(404, "signer/no-such-thing", "there are POST /sign and GET /keys"));
    }
  };
  // Whoever connects and says nothing must not keep a place from the nodes.
  const limits = {
    requestTimeout: RECEIVE_TIMEOUT_MS,
    headersTimeout: RECEIVE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_MS,
  };
  const http =
    tls === undefined
      ? createServer(limits, listener)
      : createSecureServer(
          {
            ...{ ...limits, handshakeTimeout: RECEIVE_TIMEOUT_MS },
            ...{ cert: tls.certificate, key: tls.key, minVersion: "TLSv1.3" },
          },
          listener,
        );
  http.maxConnections = MAX_CONNECTIONS;
  return http;
}

async function answer(signer: Signer, body: string): Promise<Answer> {
  const request = readRequest(body);
  if (request === undefined)
    return refusal(400, "signer/malformed", 'expected {"publicKey": "0x...", "message": "0x..."}');
  const publicKey = toHexDigits(request.publicKey);
  const key = signer.secrets.get(publicKey);
  if (key === undefined) return refusal(404, "signer/unknown-key", "this key is not here");
  const statement = readStatement(request.message);
  if (!statement.ok) return refusal(400, statement.error.code, statement.error.message);
  if (statement.value.schemeId !== undefined && statement.value.schemeId !== key.schemeId)
    return refusal(400, "signer/malformed", "the statement names another scheme than the key's");
  const checked = signer.guard.check(publicKey, statement.value);
  if (!checked.ok) {
    signer.log("error", "refused to sign", { publicKey, reason: checked.error.message });
    return refusal(409, checked.error.code, checked.error.message);
  }
  // Remembered at once, so that nothing contradicts it while it is on its way to the disk.
  if (signer.guard.remember(publicKey, statement.value, request.message)) {
    signer.wal.append([encodeSigned(publicKey, request.message)]);
    signer.records++;
  }
  // Also where it is not new: the first request for it may not have reached the disk yet.
  await signer.wal.sync();
  const signature = schemeOfSecret(key).sign(key.secret, request.message);
  if (signer.records > signer.rotateAt) {
    const live = signer.guard.entries();
    signer.records = live.length;
    signer.rotateAt = Math.max(ROTATE_AT_RECORDS, 2 * live.length);
    await signer.wal.rotate(live);
  }
  return { status: 200, body: { signature: toHex(signature) } };
}

function readRequest(
  body: string,
): { readonly publicKey: Uint8Array; readonly message: Uint8Array } | undefined {
  try {
    const { publicKey, message } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    if (typeof publicKey !== "string" || typeof message !== "string") return undefined;
    const [key, bytes] = [fromHex(publicKey), fromHex(message)];
    return key.ok && bytes.ok ? { publicKey: key.value, message: bytes.value } : undefined;
  } catch {
    return undefined;
  }
}

function receive(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (body: string) => Promise<Answer>,
): void {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => {
    body += chunk;
    if (body.length <= 2 * MAX_BODY_BYTES) return;
    request.removeAllListeners("data").removeAllListeners("end");
    response.setHeader("connection", "close");
    respond(response, refusal(413, "signer/malformed", "a request is shorter"));
  });
  request.on("end", () => {
    handle(body).then(
      (answered) => respond(response, answered),
      // A log that cannot be written: nothing is signed any more.
      (error: Error) => respond(response, refusal(500, "signer/failed", error.message)),
    );
  });
}

function refusal(status: number, code: string, message: string): Answer {
  return { status, body: { code, message } };
}

function respond(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function listen(http: Server, { host, port }: RemoteSignerServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, host, () => {
      http.removeListener("error", reject);
      resolve((http.address() as AddressInfo).port);
    });
  });
}
