import type { Genesis } from "@ostrom/execution";
import { simulatedGenesis } from "./genesis.ts";
import type { NetworkOptions } from "./network-options.ts";
import { participationGenesis } from "./participation/genesis.ts";

export const USUAL_CLIENTS = 4;

/** The chain of a network. @param candidates who may become validators by transactions, without modules. */
export function genesisOfNetwork(options: NetworkOptions, candidates: number): Genesis {
  if (options.participation !== undefined) return participationGenesis(options.participation);
  return simulatedGenesis({
    weights: options.weights,
    candidates,
    clients: options.clients ?? USUAL_CLIENTS,
    ...options.genesis,
  });
}
