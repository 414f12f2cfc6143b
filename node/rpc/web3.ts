import { toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { data } from "./decode.ts";
import { defineMethod, type Method, required } from "./method.ts";

export const web3Methods: readonly Method[] = [
  defineMethod({
    name: "web3_clientVersion",
    summary: "The program and its version.",
    parameters: [],
    returns: "string",
    run: ({ clientVersion }) => clientVersion,
  }),
  defineMethod({
    name: "web3_sha3",
    summary: "keccak256 of some bytes.",
    parameters: [required("data", data)],
    returns: "hash",
    run: (_context, bytes) => toHex(keccak256(bytes)),
  }),
];
