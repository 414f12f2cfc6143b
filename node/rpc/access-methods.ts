import { toHex } from "@ostrom/base";
import { AUTHENTICATE_METHOD, type Caller } from "./access-control.ts";
import { text } from "./decode.ts";
import type { JsonObject } from "./json.ts";
import { defineMethod, type Method, type RequestContext, required } from "./method.ts";
import { invalidParams } from "./rpc-error.ts";

/** Who a client is here. */
export const accessMethods: readonly Method[] = [
  defineMethod({
    name: AUTHENTICATE_METHOD,
    summary:
      "Shows a token for this WebSocket connection, where headers cannot be set, or a newer one before the old one expires.",
    parameters: [required("token", text)],
    returns: "{account, roles, observes, expiresAt}",
    run: (context, token) => {
      const { authenticate } = context.session;
      if (authenticate === undefined)
        throw invalidParams("over HTTP, the token goes into the header Authorization: Bearer TOKEN");
      const caller = context.access.callerOfToken(token);
      authenticate(caller);
      return describeCaller(context, caller);
    },
  }),
  defineMethod({
    name: "rpc_whoAmI",
    summary: "Who this node takes the client for, and what it may do.",
    parameters: [],
    returns: "{account, roles, observes, expiresAt}",
    run: (context) => describeCaller(context, context.session.caller),
  }),
];

function describeCaller({ access }: RequestContext, caller: Caller): JsonObject {
  const { roles, filter } = access.rightsOf(caller);
  return {
    account: caller.kind === "account" ? toHex(caller.account) : caller.kind,
    roles,
    observes: filter === undefined ? null : filter === "all" ? "all" : filter.map(toHex),
    ...(caller.kind === "anonymous" ? {} : { expiresAt: caller.expiresAt }),
  };
}
