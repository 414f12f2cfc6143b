import { type Address, type Bytes, fromHex, toHex, unwrap } from "@ostrom/base";
import {
  activeVersion,
  type InstalledModules,
  type ModuleActivation,
  type ModuleRegistry,
  readModuleRegistry,
} from "@ostrom/execution";
import {
  type BlockParameter,
  checksumAddress,
  type Json,
  LATEST,
  type Method,
  optional,
  parameterTypes,
  quantity,
  type RequestContext,
} from "@ostrom/rpc";
import type { ModuleMethod, ModuleReads, ServiceModule } from "./module-face.ts";
import { defineModuleMethod } from "./module-rpc.ts";

/** `ostrom_getModules`: what state says of modules, and what this program has. */
export function moduleListing(installed: InstalledModules): Method {
  const has = (version: ModuleActivation): boolean => installed.find(version) !== undefined;
  const listing = defineModuleMethod({
    name: "ostrom_getModules",
    summary:
      "Modules and rule sets of the chain's state, active and scheduled, and the modules that this node has installed.",
    parameters: [optional("block", parameterTypes.block, LATEST)],
    returns:
      "{block, registry: {authority, modules, forks, validatorSets}, installed}; registry is null on a chain without one",
    run: ({ withState }, parameter) =>
      withState(parameter, (state, block) => {
        const registry = readModuleRegistry(state);
        return {
          block: quantity(block),
          registry: registry === undefined ? null : registryJson(registry, block, has),
          installed: installed.all.map(({ name, version, codeHash }) => ({
            name,
            version: quantity(version),
            codeHash: toHex(codeHash),
          })),
        };
      }),
  });
  return serveMethod(listing);
}

function registryJson(
  { authority, modules, forks, port }: ModuleRegistry,
  block: number,
  has: (version: ModuleActivation) => boolean,
): Json {
  const versionJson = (version: ModuleActivation): Json => ({
    version: quantity(version.version),
    codeHash: toHex(version.codeHash),
    fromBlock: quantity(version.height),
    isInstalled: has(version),
  });
  return {
    authority: authority === undefined ? null : checksumAddress(authority),
    modules: modules.map((module) => {
      const active = activeVersion(module, block);
      const { scheduled } = module;
      const isAhead = scheduled !== undefined && scheduled.height > block;
      return {
        name: module.name,
        active: active === undefined ? null : versionJson(active),
        scheduled: isAhead ? versionJson(scheduled) : null,
      };
    }),
    forks: forks.map(({ fork, height }) => ({ name: fork, fromBlock: quantity(height) })),
    validatorSets: {
      holder: port.holder ?? null,
      handOver:
        port.handOver === undefined
          ? null
          : { to: port.handOver.to, fromEpoch: quantity(port.handOver.fromEpoch) },
    },
  };
}

/** The JSON-RPC methods of modules as the server takes them. */
export function serveModules(modules: readonly Pick<ServiceModule, "rpc">[]): readonly Method[] {
  return modules.flatMap(({ rpc = [] }) => rpc.map(serveMethod));
}

function serveMethod(method: ModuleMethod): Method {
  return { ...method, call: (context, given) => method.call(readsOf(context), given) };
}

function readsOf(context: RequestContext): ModuleReads {
  const { backend, blocks } = context;
  return {
    chainId: backend.info.rules.chainId,
    genesisHash: backend.info.genesisHash,
    heads: backend.chain.heads,
    header: (blockNumber) => backend.chain.header(blockNumber)?.header,
    withState: (block, use) => blocks.withState(block, ({ reader }, number) => use(reader, number)),
    call: (to, data, block) => call(context, to, data, block),
    logs: (contract, fromBlock, toBlock) => logs(context, contract, fromBlock, toBlock),
    validators: backend.validators,
  };
}

/** Behind the same gate and with the same limits as anybody's eth_call. */
async function call(
  context: RequestContext,
  to: Address,
  data: Bytes,
  block: BlockParameter,
): Promise<Bytes> {
  const method = context.methods.get("eth_call");
  if (method === undefined) throw new Error("every node serves eth_call");
  const output = await method.call(context, [{ to: toHex(to), data: toHex(data) }, blockJson(block)]);
  return unwrap(fromHex(String(output)));
}

/** Behind the same limits as anybody's eth_getLogs. */
async function logs(
  context: RequestContext,
  contract: Address,
  fromBlock: BlockParameter,
  toBlock: BlockParameter,
): Promise<Json> {
  const method = context.methods.get("eth_getLogs");
  if (method === undefined) throw new Error("every node serves eth_getLogs");
  const filter = { address: toHex(contract), fromBlock: blockJson(fromBlock), toBlock: blockJson(toBlock) };
  return method.call(context, [filter]);
}

function blockJson(block: BlockParameter): unknown {
  switch (block.kind) {
    case "tag":
      return block.tag;
    case "number":
      return quantity(block.number);
    case "hash":
      return { blockHash: toHex(block.hash) };
    default:
      return block satisfies never;
  }
}
