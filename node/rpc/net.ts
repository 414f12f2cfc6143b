import { quantity } from "@ostrom/rpc-schema";
import { defineMethod, type Method } from "./method.ts";

export const netMethods: readonly Method[] = [
  defineMethod({
    name: "net_version",
    summary: "The network id, which is the chain id, in decimal.",
    parameters: [],
    returns: "string",
    run: ({ backend }) => backend.info.rules.chainId.toString(),
  }),
  defineMethod({
    name: "net_listening",
    summary: "Whether this node takes connections from others.",
    parameters: [],
    returns: "boolean",
    run: () => true,
  }),
  defineMethod({
    name: "net_peerCount",
    summary: "How many nodes this one is linked with.",
    parameters: [],
    returns: "quantity",
    run: ({ backend }) => quantity(backend.peerCount()),
  }),
];
