import { actorOf } from "./access-control.ts";
import { countOrNumber, flag, text } from "./decode.ts";
import type { Json } from "./json.ts";
import { defineMethod, type Method, optional, type RequestContext, required } from "./method.ts";
import { RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";

/** Bytes a second that a backup reads at most, unless told. */
const DEFAULT_BACKUP_BYTES_PER_SECOND: number = 32 * 1024 * 1024;

async function operate(
  { backend, session }: RequestContext,
  method: string,
  parameters: readonly Json[],
): Promise<Json> {
  if (backend.operate === undefined)
    throw new RpcError(RPC_ERROR.methodNotFound, "this node has no operator methods");
  const { caller } = session;
  const isOwner = caller.kind === "secret";
  const answer = await backend.operate({ method, parameters, actor: actorOf(caller), isOwner });
  if (answer.ok) return answer.value;
  throw serverError(answer.error.message, { reason: answer.error.code });
}

/** What only operators may ask of a node, and auditors. Each call is in the node's operator log before it is done. */
export const adminMethods: readonly Method[] = [
  defineMethod({
    name: "admin_nodeInfo",
    summary: "What this node is, and the head of its operator log.",
    parameters: [],
    returns: "{name, program, peerId, genesisHash, folder, operatorLog: {records, head}}",
    run: (context) => operate(context, "admin_nodeInfo", []),
  }),
  defineMethod({
    name: "admin_startBackup",
    summary:
      "Begins a backup of the chain as it is now, while blocks go on. `out` is a name in the node's folder of backups; who has the operator secret may give a path and take keys.",
    parameters: [
      required("out", text),
      optional("withKeys", flag, false),
      optional("maxBytesPerSecond", countOrNumber, DEFAULT_BACKUP_BYTES_PER_SECOND),
    ],
    returns: "{path}",
    run: (context, out, withKeys, maxBytesPerSecond) =>
      operate(context, "admin_startBackup", [out, withKeys, maxBytesPerSecond]),
  }),
  defineMethod({
    name: "admin_getBackup",
    summary: "How far the backup under way is, or how the last one ended; null if there was none.",
    parameters: [],
    returns: "null or {path, state: under way | done | failed, ...}",
    run: (context) => operate(context, "admin_getBackup", []),
  }),
  defineMethod({
    name: "ostrom_getOperatorLog",
    summary:
      'Records of the node\'s operator log from one time (included) to another (excluded), RFC 3339 in UTC; "" sets no bound.',
    parameters: [optional("from", text, ""), optional("to", text, "")],
    returns: "{head: {sequence, hash}, isCut, problem, records}",
    run: (context, from, to) => operate(context, "ostrom_getOperatorLog", [from, to]),
  }),
];
