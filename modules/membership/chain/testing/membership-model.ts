import type {
  Act,
  Decision,
  ModelNode,
  ModelOrganisation,
  ModelProposal,
  ModelState,
  OwnAct,
} from "./membership-acts.ts";

const MAX_OPEN = 8;
const MAX_CERTIFICATES = 2;

/** An act that the rules refuse. */
class Refused extends Error {}

function check(isAllowed: boolean): void {
  if (!isAllowed) throw new Refused();
}

/** The rules of membership as docs/membership-roles.md tells them, on plain objects: what the contract is compared with. Written for
 * reading, not for speed. */
export class MembershipModel {
  state: ModelState;
  height = 1;

  constructor(state: ModelState) {
    this.state = state;
  }

  /** @returns whether the rules allow it; if they do not, nothing has changed. */
  do(caller: number, act: Act): boolean {
    const before = structuredClone(this.state);
    try {
      this.#act(caller, act);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.state = before;
      return false;
    }
  }

  active(): number[] {
    return this.state.organisations.flatMap((entry, id) => (entry?.standing === "active" ? [id] : []));
  }

  isActive(organisation: number): boolean {
    return this.state.organisations[organisation]?.standing === "active";
  }

  nodesOf(organisation: number): ModelNode[] {
    return [...this.state.nodes.values()].filter((node) => node.organisation === organisation);
  }

  validators(): number[] {
    return [...this.state.nodes]
      .filter(([, { role, organisation }]) => role === "validator" && this.isActive(organisation))
      .map(([id]) => id)
      .sort((a, b) => a - b);
  }

  roles(person: number): number {
    return this.active().reduce((all, id) => all | (this.#organisation(id).accounts.get(person) ?? 0), 0);
  }

  maySend(person: number): boolean {
    const { openToAll, owner } = this.state;
    return (
      openToAll || owner === person || this.#adminOf(person) !== undefined || (this.roles(person) & 1) === 1
    );
  }

  mayDeploy(person: number): boolean {
    return this.state.openToAll || (this.maySend(person) && (this.roles(person) & 2) === 2);
  }

  /** Votes that count now, and how many it needs now. */
  tally(id: number): readonly [number, number] {
    const proposal = this.state.proposals[id];
    if (proposal === undefined) return [0, 0];
    const votes = this.active().filter((organisation) => proposal.supporters.has(organisation)).length;
    return [votes, Math.max(proposal.needed, this.#needed())];
  }

  isOpen({ state, lastBlock }: ModelProposal): boolean {
    return state === "open" && this.height <= lastBlock;
  }

  #needed(): number {
    return Math.ceil((this.active().length * this.state.threshold) / 100);
  }

  #organisation(id: number): ModelOrganisation {
    const found = this.state.organisations[id];
    if (found === undefined || found.standing === "removed") throw new Refused();
    return found;
  }

  /** The organisation that a person speaks for. */
  #adminOf(person: number): number | undefined {
    return this.active().find((id) => this.#organisation(id).admin === person);
  }

  #speaker(person: number): number {
    const organisation = this.#adminOf(person);
    if (organisation === undefined) throw new Refused();
    return organisation;
  }

  #act(caller: number, act: Act): void {
    switch (act.kind) {
      case "propose":
        return this.#propose(caller, act.decisions);
      case "vote": {
        const speaker = this.#speaker(caller);
        const { supporters } = this.#open(act.proposal);
        if (act.isFor) supporters.add(speaker);
        else supporters.delete(speaker);
        return;
      }
      case "withdraw": {
        const speaker = this.#speaker(caller);
        const proposal = this.#open(act.proposal);
        check(proposal.organisation === speaker);
        proposal.state = "withdrawn";
        return;
      }
      case "execute": {
        this.#speaker(caller);
        check(this.state.owner === undefined);
        const proposal = this.#open(act.proposal);
        const [votes, needed] = this.tally(act.proposal);
        check(votes >= needed);
        proposal.state = "executed";
        for (const decision of proposal.decisions) this.#decide(decision);
        return;
      }
      case "takeAdmin":
        check(this.isActive(act.organisation) && this.#organisation(act.organisation).pending === caller);
        return this.#makeAdmin(act.organisation, caller);
      case "direct":
        // Only the acts that an admin may do are not the members' alone.
        check(act.decision.kind === "own");
        if (act.decision.kind === "own") this.#own(act.decision.act, this.#speaker(caller));
        return;
      default:
        return this.#own(act, this.#speaker(caller));
    }
  }

  #propose(caller: number, decisions: Decision[]): void {
    check(decisions.length > 0);
    if (this.state.owner !== undefined) {
      check(caller === this.state.owner);
      for (const decision of decisions) this.#decide(decision);
      return;
    }
    const organisation = this.#speaker(caller);
    const open = this.state.proposals.filter(
      (other) => other !== undefined && other.organisation === organisation && this.isOpen(other),
    );
    check(open.length < MAX_OPEN);
    const lastBlock = this.height + this.state.proposalBlocks;
    const supporters = new Set([organisation]);
    this.state.proposals.push({
      organisation,
      lastBlock,
      needed: this.#needed(),
      state: "open",
      supporters,
      decisions,
    });
  }

  #open(id: number): ModelProposal {
    const proposal = this.state.proposals[id];
    if (proposal === undefined || !this.isOpen(proposal)) throw new Refused();
    return proposal;
  }

  #decide(decision: Decision): void {
    const { state } = this;
    switch (decision.kind) {
      case "admit": {
        const { admin, limits } = decision;
        const id = state.organisations.length;
        const none = { admin: undefined, pending: undefined, filter: [], certificates: [] };
        state.organisations.push({ standing: "active", ...none, limits, accounts: new Map() });
        return this.#makeAdmin(id, admin);
      }
      case "suspend":
      case "resume":
      case "remove":
        return this.#changeStanding(decision.organisation, decision.kind);
      case "setLimits":
        this.#organisation(decision.organisation).limits = decision.limits;
        return;
      case "setFilter":
        this.#organisation(decision.organisation).filter = decision.filter;
        return;
      case "setAdmin":
        this.#organisation(decision.organisation);
        return this.#makeAdmin(decision.organisation, decision.admin);
      case "setRules":
        check(decision.threshold > 50 && decision.threshold <= 100 && decision.blocks >= 10);
        state.threshold = decision.threshold;
        state.proposalBlocks = decision.blocks;
        return;
      case "setOpenToAll":
        state.openToAll = decision.isOpen;
        return;
      case "setOwner":
        state.owner = decision.owner;
        return;
      case "own":
        return this.#own(decision.act, undefined);
      default:
        return decision satisfies never;
    }
  }

  #changeStanding(id: number, change: "suspend" | "resume" | "remove"): void {
    const found = this.#organisation(id);
    if (change !== "remove") check(found.standing === (change === "suspend" ? "active" : "suspended"));
    const wasActive = found.standing === "active";
    found.standing = change === "suspend" ? "suspended" : change === "resume" ? "active" : "removed";
    if (wasActive) check(this.validators().length > 0);
    if (change !== "remove") return;
    found.admin = undefined;
    found.pending = undefined;
    for (const [node, { organisation }] of this.state.nodes)
      if (organisation === id) this.state.nodes.delete(node);
  }

  #makeAdmin(id: number, person: number): void {
    const isTaken = this.state.organisations.some(
      (other) => other !== undefined && other.standing !== "removed" && other.admin === person,
    );
    check(!isTaken);
    const found = this.#organisation(id);
    found.admin = person;
    found.pending = undefined;
  }

  /** @param speaker undefined: the members, who may do it for each member. */
  #own(act: OwnAct, speaker: number | undefined): void {
    const node = "node" in act ? this.state.nodes.get(act.node) : undefined;
    const organisation = "organisation" in act ? act.organisation : node?.organisation;
    if (organisation === undefined) throw new Refused();
    check(speaker === undefined || speaker === organisation);
    const found = this.#organisation(organisation);
    switch (act.kind) {
      case "addNode":
        return this.#addNode(act);
      case "removeNode":
        this.state.nodes.delete(act.node);
        // An observer, or a validator of a suspended organisation, changes nothing of the set.
        if (node?.role === "validator" && this.isActive(organisation)) check(this.validators().length > 0);
        return;
      case "setWeight": {
        if (node?.role !== "validator") throw new Refused();
        check(act.weight > 0);
        const others = this.#weightOf(organisation) - node.weight;
        check(others + act.weight <= found.limits.weight || act.weight <= node.weight);
        node.weight = act.weight;
        return;
      }
      case "setConsensusKey":
        if (node?.role !== "validator") throw new Refused();
        this.#takeKey(`c${act.key}`, organisation, act.node);
        node.consensusKey = act.key;
        return;
      case "setTransportKey":
        this.#takeKey(`t${act.key}`, organisation, act.node);
        if (node !== undefined) node.transportKey = act.key;
        return;
      case "setAccount":
        check(act.roles < 16);
        if (act.roles === 0) found.accounts.delete(act.account);
        else {
          check(found.accounts.has(act.account) || found.accounts.size < found.limits.accounts);
          found.accounts.set(act.account, act.roles);
        }
        return;
      case "addCertificate":
        check(found.certificates.length < MAX_CERTIFICATES && !found.certificates.includes(act.certificate));
        found.certificates.push(act.certificate);
        return;
      case "removeCertificate":
        check(found.certificates.includes(act.certificate));
        found.certificates = found.certificates.filter((certificate) => certificate !== act.certificate);
        return;
      case "offerAdmin":
        found.pending = act.admin;
        return;
      default:
        return act satisfies never;
    }
  }

  #addNode(act: Extract<OwnAct, { kind: "addNode" }>): void {
    const { organisation, role, weight, consensusKey, transportKey } = act;
    const { limits } = this.#organisation(organisation);
    const id = this.state.lastNode + 1;
    const isValidator = role === "validator";
    check(this.nodesOf(organisation).filter((other) => other.role === role).length < limits[`${role}s`]);
    if (isValidator) {
      check(weight > 0 && this.#weightOf(organisation) + weight <= limits.weight);
      this.#takeKey(`c${consensusKey}`, organisation, id);
    }
    this.#takeKey(`t${transportKey}`, organisation, id);
    this.state.lastNode = id;
    this.state.nodes.set(id, {
      organisation,
      role,
      weight: isValidator ? weight : 0,
      consensusKey: isValidator ? consensusKey : undefined,
      transportKey,
    });
  }

  #weightOf(organisation: number): number {
    return this.nodesOf(organisation).reduce((sum, { weight }) => sum + weight, 0);
  }

  /** A key is one node's at a time, and stays its organisation's until that is removed. */
  #takeKey(key: string, organisation: number, node: number): void {
    for (const [id, other] of this.state.nodes)
      if (id !== node) check(key !== `c${other.consensusKey}` && key !== `t${other.transportKey}`);
    const owner = this.state.keyOwners.get(key);
    check(
      owner === undefined ||
        owner === organisation ||
        this.state.organisations[owner]?.standing === "removed",
    );
    this.state.keyOwners.set(key, organisation);
  }
}
