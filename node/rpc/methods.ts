import { accessMethods } from "./access-methods.ts";
import { adminMethods } from "./admin.ts";
import { checkpointMethods } from "./checkpoints.ts";
import { debugRawMethods } from "./debug-raw.ts";
import { debugTraceMethods } from "./debug-trace.ts";
import { ethCallMethods } from "./eth-call.ts";
import { ethChainMethods } from "./eth-chain.ts";
import { ethFilterMethods } from "./eth-filters.ts";
import { ethLogMethods } from "./eth-logs.ts";
import { ethSimulateMethods } from "./eth-simulate.ts";
import { ethStateMethods } from "./eth-state.ts";
import { ethSubscribeMethods } from "./eth-subscribe.ts";
import { ethTransactionMethods } from "./eth-transactions.ts";
import { filteredBlockMethods } from "./filtered-blocks.ts";
import { lightMethods } from "./light.ts";
import { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
import type { Method } from "./method.ts";
import { netMethods } from "./net.ts";
import { ostromMethods } from "./ostrom.ts";
import { otsMethods } from "./ots.ts";
import { peerMethods } from "./peers.ts";
import { schemaMethods } from "./schema.ts";
import { txpoolMethods } from "./txpool.ts";
import { validatorMethods } from "./validators.ts";
import { viewMethods } from "./views.ts";
import { web3Methods } from "./web3.ts";

/** All methods by name.
 * @param further those of others; none takes the name of one that every node has.
 * @param replacing those that a development chain answers in its own way. */
export function createMethods(
  limits: RpcLimits = DEFAULT_LIMITS,
  further: readonly Method[] = [],
  replacing: readonly Method[] = [],
): ReadonlyMap<string, Method> {
  const all = [
    ...further,
    ...ethChainMethods,
    ...ethStateMethods,
    ...ethCallMethods(limits),
    ...ethSimulateMethods(limits),
    ...ethTransactionMethods,
    ...ethLogMethods(limits),
    ...ethFilterMethods(limits),
    ...ethSubscribeMethods(limits),
    ...netMethods,
    ...web3Methods,
    ...txpoolMethods,
    ...debugRawMethods,
    ...debugTraceMethods(limits),
    ...otsMethods,
    ...ostromMethods,
    ...validatorMethods,
    ...viewMethods,
    ...peerMethods,
    ...lightMethods,
    ...checkpointMethods,
    ...filteredBlockMethods,
    ...accessMethods,
    ...adminMethods,
    ...schemaMethods,
    ...replacing,
  ];
  return new Map(all.map((method) => [method.name, method]));
}
