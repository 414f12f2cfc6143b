import type { Hash } from "@ostrom/base";
import type { AnyGenesis } from "@ostrom/execution";
import type { ExecutedHead, ExecutionReport } from "./execution-port.ts";
import { ModuleWatch } from "./module-watch.ts";
import { NETWORK_NEWS_MS, type NodeParts, noticeOf, serveRpc } from "./node-assembly.ts";
import type { RpcClient } from "./rpc-client.ts";
import type { RpcNodeEvents } from "./rpc-port.ts";

/** Who hears of a node's blocks and pool: its JSON-RPC, what it does for modules, and its process. They are there when the core is. */
export class NodeAudience {
  readonly #parts: NodeParts<AnyGenesis>;
  #rpc: RpcClient | undefined;
  #modules: ModuleWatch | undefined;

  constructor(parts: NodeParts<AnyGenesis>) {
    this.#parts = parts;
  }

  block(report: ExecutionReport): void {
    this.#modules?.executed(report);
    this.tell("block", { number: report.height, hash: report.executedHash });
    this.#parts.overrides.onBlock?.(noticeOf(report));
  }

  tell<Name extends keyof RpcNodeEvents & string>(name: Name, news: RpcNodeEvents[Name]): void {
    this.#rpc?.tell(name, news);
  }

  /** Starts JSON-RPC. @param network tells of links now and then. @returns its port. Rejects with `rpc/port-taken` and its like. */
  async serve(
    chain: Parameters<typeof serveRpc>[1],
    core: Parameters<typeof serveRpc>[2],
    network: () => RpcNodeEvents["network"],
    onFailure: (error: Error) => void,
  ): Promise<number> {
    const rpc = await serveRpc(this.#parts, chain, core, onFailure);
    this.#rpc = rpc;
    const news = setInterval(() => rpc.tell("network", network()), NETWORK_NEWS_MS);
    this.#parts.cleanup.add(() => clearInterval(news));
    return rpc.port;
  }

  /** Begins to run the services of modules, and to warn of what is lacking. */
  watchModules(chain: { readonly rpcPort: number; readonly genesisHash: Hash }, head: ExecutedHead): void {
    this.#modules = new ModuleWatch(this.#parts, chain, head);
  }
}
