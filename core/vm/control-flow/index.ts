export { emitControlFlow, type FlowExits } from "./emit-control-flow.ts";
export {
  type FlowGraph,
  type FlowPlan,
  MAX_LOOP_DEPTH,
  MAX_OPEN_BLOCKS,
  planControlFlow,
} from "./flow-plan.ts";
