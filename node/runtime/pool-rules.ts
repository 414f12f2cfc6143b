import { toHexDigits } from "@ostrom/base";
import {
  activeVersion,
  type ChainRules,
  forkAt,
  type InstalledModules,
  MODULE_REGISTRY_ADDRESS,
  type PermissionCheck,
  permissionAsOf,
  readModuleRegistry,
} from "@ostrom/execution";
import { type KeyValueReader, storeReader } from "@ostrom/state";
import { readHead } from "@ostrom/storage";
import type { ExecutionNews } from "@ostrom/txpool";

type News = Pick<ExecutionNews, "permits" | "hasNewPermissions" | "fork">;

/** What the newest state lets into the pool: the permission of modules, and the rule set of the next block. */
export class PoolRules {
  readonly #store: KeyValueReader;
  readonly #rules: ChainRules;
  readonly #modules: InstalledModules | undefined;
  /** Addresses (hex digits) whose storage permission is read from, and the registry's. */
  readonly #watched: ReadonlySet<string>;
  #permits: PermissionCheck | undefined;
  #active = "";

  constructor(store: KeyValueReader, rules: ChainRules, modules: InstalledModules | undefined) {
    this.#store = store;
    this.#rules = rules;
    this.#modules = modules;
    const asked = modules?.all.filter(({ permits }) => permits !== undefined) ?? [];
    this.#watched = new Set([
      toHexDigits(MODULE_REGISTRY_ADDRESS),
      ...asked.flatMap(({ contracts }) => contracts.map(({ address }) => toHexDigits(address))),
    ]);
    this.executed([], 0);
  }

  /** As of the newest executed block; undefined where no module asks. */
  get permits(): PermissionCheck | undefined {
    return this.#permits;
  }

  /** Reads again. @param changed addresses (hex digits) whose account or storage the block has changed. */
  executed(changed: Iterable<string>, nowMs: number): News {
    const state = storeReader(this.#store);
    const height = (readHead(this.#store)?.height ?? 0) + 1;
    const isRead = [...changed].some((address) => this.#watched.has(address));
    const registry = readModuleRegistry(state);
    if (registry === undefined) return {};
    const active = registry.modules
      .map((module) => `${module.name}/${activeVersion(module, height)?.version ?? 0}`)
      .join();
    const hasNewPermissions = isRead || active !== this.#active;
    this.#active = active;
    // A module that begins with the next block has written nothing yet that it could answer by.
    this.#permits = permissionAsOf(state, this.#modules, height - 1);
    const fork =
      this.#rules.schedulesForks === true
        ? forkAt(this.#rules, Math.floor(nowMs / 1_000), { forks: registry.forks, height })
        : undefined;
    return { permits: this.#permits, hasNewPermissions, fork };
  }
}
