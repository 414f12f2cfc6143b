import { useSyncExternalStore } from "react";
import { type ConsoleDescription, type ConsoleNode, describe, readConsole } from "./console.ts";
import { createLiveChain, type LiveChain } from "./live-chain.ts";
import { createRpcClient, type RpcClient } from "./rpc.ts";
import { settingsStore } from "./settings.ts";
import { createNodeSocket, type NodeSocket } from "./socket.ts";
import { createStore, type Store } from "./store.ts";
import { useStore } from "./use-store.ts";

/** One node of the network, with the connections to it. */
export type NetworkNode = ConsoleNode & {
  readonly index: number;
  readonly rpc: RpcClient;
  /** Opened when it is first asked for. */
  readonly socket: () => NodeSocket;
  readonly liveChain: () => LiveChain;
};

const descriptionStore: Store<ConsoleDescription> = createStore(describe(undefined));
const nodes = new Map<string, NetworkNode>();

/** Reads console.json; the pages are drawn before it arrives. */
export async function loadNetwork(): Promise<void> {
  descriptionStore.set(await readConsole());
}

/** The network's description, as console.json has it. */
export function useConsole(): ConsoleDescription {
  return useStore(descriptionStore);
}

/** The node with this index in console.json's list; the first one if there is none. */
export function nodeAt(index: number): NetworkNode {
  const { nodes: described } = descriptionStore.get();
  const position = index < described.length ? index : 0;
  const description = described[position] as ConsoleNode;
  const known = nodes.get(description.path);
  if (known !== undefined && known.name === description.name) return known;
  const node = known === undefined ? connect(description, position) : { ...known, ...description };
  nodes.set(description.path, node);
  return node;
}

function connect(description: ConsoleNode, index: number): NetworkNode {
  const rpc = createRpcClient(description.path);
  let socket: NodeSocket | undefined;
  let chain: LiveChain | undefined;
  const openSocket = (): NodeSocket => {
    socket ??= createNodeSocket(description.path, rpc);
    return socket;
  };
  return {
    ...description,
    index,
    rpc,
    socket: openSocket,
    liveChain: () => {
      chain ??= createLiveChain(rpc, openSocket());
      return chain;
    },
  };
}

/** The node that the pages ask: the one chosen in the settings. */
export function useNode(): NetworkNode {
  useConsole();
  return nodeAt(useStore(settingsStore).node);
}

/** All nodes of the network. */
export function useNodes(): readonly NetworkNode[] {
  return useConsole().nodes.map((_, index) => nodeAt(index));
}

/** What happens on the chain now: the newest blocks and transactions, in bounded rings. */
export function useLiveChain(): ReturnType<LiveChain["get"]> {
  const chain = useNode().liveChain();
  return useSyncExternalStore(chain.subscribe, chain.get, chain.get);
}
