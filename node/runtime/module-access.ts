import type { Address } from "@ostrom/base";
import type { AccessReads, AccountRole, ChainReads, ObserverFilter } from "@ostrom/rpc";
import type { StateReader } from "@ostrom/state";
import type { ModuleAccess, ServiceModule } from "./module-face.ts";

/** What the installed modules know of accounts, as of the newest block: the roles that any of them gives, and what any of them lets be
 * seen. undefined if none of them knows accounts. */
export function moduleAccess(
  chain: Pick<ChainReads, "heads" | "stateAt">,
  modules: readonly ServiceModule[],
  peerId = "",
): AccessReads | undefined {
  const known = modules.flatMap(({ access }) => access ?? []);
  if (known.length === 0) return undefined;
  const ask = <T>(question: (access: ModuleAccess, state: StateReader) => T): readonly T[] => {
    const view = chain.stateAt(chain.heads().latest);
    // The newest block's state is there; were it not, nobody has a role.
    if (!view.ok) return [];
    try {
      return known.map((access) => question(access, view.value.reader));
    } finally {
      view.value.release();
    }
  };
  return {
    rolesOf: (account: Address): readonly AccountRole[] => [
      ...new Set(ask(({ rolesOf }, state) => rolesOf(state, account, peerId)).flat()),
    ],
    filterOf: (account: Address): ObserverFilter | undefined => {
      const filters = ask(({ filterOf }, state) => filterOf(state, account, peerId)).filter(
        (filter) => filter !== undefined,
      );
      if (filters.includes("all")) return "all";
      return filters.length === 0 ? undefined : (filters as (readonly Address[])[]).flat();
    },
  };
}
