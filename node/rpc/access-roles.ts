import type { Address } from "@ostrom/base";

/** What an account may be on a chain, or at one node; what each role may call is in `mayCall`. */
export type AccountRole = "sender" | "deployer" | "operator" | "auditor";

export const ACCOUNT_ROLES: readonly AccountRole[] = ["sender", "deployer", "operator", "auditor"];

/** What an account may observe by `ostrom_getFilteredBlocks`: everything, or what concerns these addresses. */
export type ObserverFilter = "all" | readonly Address[];

/** What the chain's state, as of the newest block, says about accounts that speak to this node. Database reads. */
export type AccessReads = {
  /** Roles that the account has at this node; none for one that nobody knows. */
  readonly rolesOf: (account: Address) => readonly AccountRole[];
  /** undefined: the account observes nothing. */
  readonly filterOf: (account: Address) => ObserverFilter | undefined;
};

/** What one account may do here. */
export type AccountRights = {
  readonly roles: readonly AccountRole[];
  readonly filter: ObserverFilter | undefined;
};

/** Families of methods that are allowed together.
 * - `basics`: what the chain is, how far it is, who validates, what proves a header: no transaction of anybody;
 * - `read`: all blocks, all state;
 * - `submit`: offers transactions to the pool;
 * - `observe`: what the account's filter lets it see;
 * - `audit`: the operator log;
 * - `operate`: changes the node, costs it much, or shows what is its own. */
export type AccessClass = "basics" | "read" | "submit" | "observe" | "audit" | "operate";

const CLASS_OF_METHOD: Readonly<Record<string, AccessClass>> = {
  eth_chainId: "basics",
  eth_blockNumber: "basics",
  eth_syncing: "basics",
  ostrom_getValidators: "basics",
  ostrom_getEvidence: "basics",
  ostrom_getMining: "basics",
  ostrom_getViews: "basics",
  ostrom_getPeers: "basics",
  ostrom_nodeInfo: "basics",
  ostrom_getModules: "basics",
  ostrom_getGenesis: "basics",
  ostrom_getStateCertificate: "basics",
  ostrom_getEpochProof: "basics",
  ostrom_getHeaders: "basics",
  eth_sendRawTransaction: "submit",
  eth_sendRawTransactionSync: "submit",
  ostrom_getFilteredBlocks: "observe",
  ostrom_getOperatorLog: "audit",
};

const BASIC = /^(?:net|web3|rpc)[_.]/;
/** These only write public blocks in another form. */
const RAW_READS = /^debug_getRaw(?:Header|Block|Receipts|Transaction)$/;
/** These run what is public once more, each within its line, its time and its answer's length (`debug-trace.ts`): no dearer than eth_call.
 * debug_traceBlock brings a block of its caller's, and stays the operator's. */
const TRACING_READS = /^debug_trace(?:Transaction|BlockByNumber|BlockByHash|Call)$/;
const OPERATING = /^(?:admin|debug|miner|personal)_/;

/** Methods that no table names are reads: modules' methods see the chain alone. */
export function accessClassOf(method: string): AccessClass {
  if (Object.hasOwn(CLASS_OF_METHOD, method)) return CLASS_OF_METHOD[method] ?? "read";
  if (BASIC.test(method)) return "basics";
  const isRead = RAW_READS.test(method) || TRACING_READS.test(method);
  return OPERATING.test(method) && !isRead ? "operate" : "read";
}

/** Whether an account that has shown who it is may call methods of a class. Who may only observe what concerns some addresses must not
 * read the rest by another method. */
export function mayCall({ roles, filter }: AccountRights, accessClass: AccessClass): boolean {
  const hasOne = (...wanted: readonly AccountRole[]): boolean => wanted.some((role) => roles.includes(role));
  switch (accessClass) {
    case "basics":
      return roles.length > 0 || filter !== undefined;
    case "read":
      return hasOne("sender", "deployer", "operator") || filter === "all";
    case "submit":
      return hasOne("sender", "deployer", "operator");
    case "observe":
      return filter !== undefined;
    case "audit":
      return hasOne("auditor", "operator");
    case "operate":
      return hasOne("operator");
    default:
      return accessClass satisfies never;
  }
}

/** Who may call methods of a class, for messages. */
export const WHO_MAY_CALL: Readonly<Record<AccessClass, string>> = {
  basics: "any role",
  read: "the role sender, deployer or operator, or an unlimited auditor's",
  submit: "the role sender, deployer or operator",
  observe: "the role auditor, or an observer's filter",
  audit: "the role auditor or operator",
  operate: "the role operator",
};
