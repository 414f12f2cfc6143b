import { type Address, type Bytes, toHex } from "@ostrom/base";
import type { MembershipSettings, NodeSettings, OrganisationSettings } from "../settings.ts";
import { bytesOf, person } from "./membership-ledger.ts";

/** A node whose keys derive from its name; the proof is none that a node would accept. */
export function testNode(name: string, changes: Partial<NodeSettings> = {}): NodeSettings {
  return {
    role: "validator",
    name,
    account: person(`${name}/fees`),
    weight: 1,
    consensusKey: bytesOf(`${name}/consensus`, 48),
    proofOfPossession: bytesOf(`${name}/proof`, 96),
    transportKey: bytesOf(`${name}/transport`, 32),
    host: `${name}.example`,
    port: 30_303,
    filter: [],
    ...changes,
  };
}

export function testObserver(name: string, filter: readonly Address[] = []): NodeSettings {
  const none = new Uint8Array(0);
  return testNode(name, { role: "observer", weight: 0, consensusKey: none, proofOfPossession: none, filter });
}

/** As `addNode` takes it. */
export function nodeArguments(organisation: number, node: NodeSettings): readonly unknown[] {
  const keys = {
    account: toHex(node.account),
    weight: BigInt(node.weight),
    port: node.port,
    consensusKey: toHex(node.consensusKey),
    proofOfPossession: toHex(node.proofOfPossession),
    transportKey: toHex(node.transportKey),
    name: node.name,
    host: node.host,
  };
  return [organisation, node.role === "validator" ? 1 : 2, keys, node.filter.map(toHex)];
}

export const TEST_LIMITS = { validators: 2, observers: 2, accounts: 3, weight: 10 } as const;

/** As `admit` takes it. */
export const LIMITS_ARGUMENT = { validators: 2, observers: 2, accounts: 3, weight: 10n } as const;

export function admin(organisation: number): Address {
  return person(`admin ${organisation}`);
}

export function user(organisation: number): Address {
  return person(`user ${organisation}`);
}

/** Organisation `id` with one validator, and one account that may send. */
export function testOrganisation(
  id: number,
  changes: Partial<OrganisationSettings> = {},
): OrganisationSettings {
  return {
    name: `Organisation ${id}`,
    admin: admin(id),
    limits: TEST_LIMITS,
    filter: [],
    certificates: [],
    nodes: [testNode(`node-${id}`)],
    accounts: [{ address: user(id), roles: ["sender"] }],
    ...changes,
  };
}

/** Organisations 1 to `count`, decided by more than half. */
export function testAlliance(count: number, changes: Partial<MembershipSettings> = {}): MembershipSettings {
  return {
    owner: undefined,
    thresholdPercent: 51,
    proposalBlocks: 100,
    openToAll: false,
    organisations: Array.from({ length: count }, (_, index) => testOrganisation(index + 1)),
    ...changes,
  };
}

export function certificate(name: string, length = 600): Bytes {
  return bytesOf(`certificate ${name}`, length);
}
