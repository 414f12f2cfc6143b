import { toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { LightClient } from "./light-client.ts";
import { OwnTransactions } from "./own-transactions.ts";
import { blockMethods, feeMethods, transactionMethods } from "./provider-chain.ts";
import { PROVIDER_ERROR, ProviderError, toldError } from "./provider-error.ts";
import {
  orThrow,
  type ProvedMethod,
  type ProviderContext,
  readParameter,
  UNPROVED,
} from "./provider-method.ts";
import { stateMethods } from "./provider-state.ts";
import { readData } from "./read-json.ts";
import { httpServer, type LightServer, type RpcCall } from "./server.ts";

/** What to do with what nothing proves: refuse it, ask the server and believe it, or believe it in these methods only. */
export type Unproved = "refuse" | "pass" | readonly string[];

export type VerifiedProviderOptions = {
  /** `refuse` unless told. */
  readonly unproved?: Unproved;
};

/** EIP-1193's one method. Throws ProviderError. */
export type VerifiedProvider = {
  readonly request: (call: { readonly method: string; readonly params?: unknown }) => Promise<unknown>;
};

const identityMethods: Readonly<Record<string, ProvedMethod>> = {
  eth_chainId: async ({ client }) => `0x${orThrow(await client.chain()).rules.chainId.toString(16)}`,
  net_version: async ({ client }) => orThrow(await client.chain()).rules.chainId.toString(),
  eth_accounts: async () => [],
  eth_syncing: async () => false,
  web3_clientVersion: async () => "Ostrom/light/v0.1.0",
  web3_sha3: async (_context, params) => toHex(keccak256(readParameter(params, 0, readData))),
};

const METHODS: ReadonlyMap<string, ProvedMethod> = new Map(
  Object.entries({
    ...identityMethods,
    ...blockMethods,
    ...transactionMethods,
    ...stateMethods,
    ...feeMethods,
  }),
);

/** The methods that are answered from proofs, or need none. */
export const PROVED_METHODS: readonly string[] = [...METHODS.keys()];

/** A provider for wallets and libraries that answers from proofs alone.
 * @param server where transactions are sent, and what is not proved is asked if that is allowed; the client's first one unless told. */
export function createVerifiedProvider(
  client: LightClient,
  server: string | LightServer | undefined = client.servers[0],
  { unproved = "refuse" }: VerifiedProviderOptions = {},
): VerifiedProvider {
  const target = typeof server === "string" ? httpServer(server) : server;
  const send = (call: RpcCall): Promise<unknown> => sendTo(target, call);
  const context: ProviderContext = { client, own: new OwnTransactions(), send };
  return {
    request: async ({ method, params }) => {
      const given: readonly unknown[] = Array.isArray(params) ? params : [];
      const prove = METHODS.get(method);
      const answer = prove === undefined ? UNPROVED : await prove(context, given);
      if (answer !== UNPROVED) return answer;
      if (unproved === "pass" || (unproved !== "refuse" && unproved.includes(method))) {
        return send({ method, params: given });
      }
      throw new ProviderError(
        PROVIDER_ERROR.unsupported,
        `nothing proves the answer to ${method}${prove === undefined ? "" : " with these parameters"}: ` +
          `to believe the server, name it in the option "unproved"`,
        { reason: "light/unproved" },
        "light/unproved",
      );
    },
  };
}

async function sendTo(server: LightServer | undefined, call: RpcCall): Promise<unknown> {
  const [answer] = server === undefined ? [] : await server.ask([call]);
  if (answer === undefined) throw new ProviderError(PROVIDER_ERROR.server, "no server is given");
  if (!answer.ok) throw toldError(answer.error);
  return answer.value;
}
