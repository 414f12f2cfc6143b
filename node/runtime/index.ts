export {
  DEFAULT_CONFIGURATION,
  DEFAULT_LINK_PORT,
  DEFAULT_RPC_PORT,
  type NodeConfiguration,
} from "./configuration.ts";
export {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  type DerivedAccount,
  deriveAccounts,
  developmentAddresses,
  isDevelopmentMnemonic,
} from "./dev-accounts.ts";
export { installNativeCrypto } from "./native-crypto.ts";
export { CLIENT_VERSION, startNode } from "./node.ts";
export type { BlockNotice, NodeOverrides, RunningNode } from "./node-options.ts";
export { type NetworkPlan, provisionNetwork, type ValidatorPlan } from "./provision.ts";
