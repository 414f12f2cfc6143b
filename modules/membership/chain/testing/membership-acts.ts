/** What people may try, as the model and the contract are told it. People, keys, certificates and filters are small numbers. */

export type ModelLimits = { validators: number; observers: number; accounts: number; weight: number };

export type ModelOrganisation = {
  standing: "active" | "suspended" | "removed";
  admin: number | undefined;
  pending: number | undefined;
  limits: ModelLimits;
  filter: number[];
  certificates: number[];
  /** Roles in bits, by person. */
  accounts: Map<number, number>;
};

export type ModelNode = {
  organisation: number;
  role: "validator" | "observer";
  weight: number;
  consensusKey: number | undefined;
  transportKey: number;
};

export type ModelProposal = {
  organisation: number;
  lastBlock: number;
  needed: number;
  state: "open" | "executed" | "withdrawn";
  supporters: Set<number>;
  decisions: Decision[];
};

/** What the members decide on. */
export type Decision =
  | { kind: "admit"; admin: number; limits: ModelLimits }
  | { kind: "suspend" | "resume" | "remove"; organisation: number }
  | { kind: "setLimits"; organisation: number; limits: ModelLimits }
  | { kind: "setFilter"; organisation: number; filter: number[] }
  | { kind: "setAdmin"; organisation: number; admin: number }
  | { kind: "setRules"; threshold: number; blocks: number }
  | { kind: "setOpenToAll"; isOpen: boolean }
  | { kind: "setOwner"; owner: number | undefined }
  | { kind: "own"; act: OwnAct };

/** What an admin does for its organisation, and the members may do too. */
export type OwnAct =
  | {
      kind: "addNode";
      organisation: number;
      role: "validator" | "observer";
      weight: number;
      consensusKey: number;
      transportKey: number;
    }
  | { kind: "removeNode"; node: number }
  | { kind: "setWeight"; node: number; weight: number }
  | { kind: "setConsensusKey" | "setTransportKey"; node: number; key: number }
  | { kind: "setAccount"; organisation: number; account: number; roles: number }
  | { kind: "addCertificate" | "removeCertificate"; organisation: number; certificate: number }
  | { kind: "offerAdmin"; organisation: number; admin: number };

export type Act =
  | { kind: "propose"; decisions: Decision[] }
  | { kind: "vote"; proposal: number; isFor: boolean }
  | { kind: "execute" | "withdraw"; proposal: number }
  | { kind: "takeAdmin"; organisation: number }
  | { kind: "direct"; decision: Decision }
  | OwnAct;

export type ModelState = {
  threshold: number;
  proposalBlocks: number;
  owner: number | undefined;
  openToAll: boolean;
  /** Index is the id; the first is nobody. */
  organisations: (ModelOrganisation | undefined)[];
  nodes: Map<number, ModelNode>;
  lastNode: number;
  /** Which organisation had or has a key: "c3" is consensus key 3. */
  keyOwners: Map<string, number>;
  proposals: (ModelProposal | undefined)[];
};
