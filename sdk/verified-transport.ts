import { type CustomTransport, custom, RpcRequestError } from "viem";
import type { LightClient } from "./light-client.ts";
import { ProviderError } from "./provider-error.ts";
import type { LightServer } from "./server.ts";
import { createVerifiedProvider, type VerifiedProviderOptions } from "./verified-provider.ts";

/** A transport for viem whose every answer is proved; what nothing proves is refused, unless an option says otherwise.
 * @param url where transactions are sent; the light client's first server unless told. */
export function verifiedTransport(
  client: LightClient,
  url?: string | LightServer,
  options: VerifiedProviderOptions = {},
): CustomTransport {
  const provider = createVerifiedProvider(client, url, options);
  const request = async (body: { readonly method: string; readonly params?: unknown }): Promise<unknown> => {
    try {
      return await provider.request(body);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const { code, message, data } = error;
      throw new RpcRequestError({ body, error: { code, message, data }, url: "verified" });
    }
  };
  // A refusal is no fault of the line: to ask again would not help.
  return custom({ request }, { key: "verified", name: "Verified JSON-RPC", retryCount: 0 });
}
