import {
  type ContractEngine,
  createContractEngine,
  executeInReference,
  installMessageEngine,
} from "@ostrom/vm";
import { isWatchingConsole } from "./watched-run.ts";

/** Contracts that together spend less do not make up for what it takes to start the engine. */
const GAS_BEFORE_ENGINE = 100_000_000n;

let installed = false;

/** Has messages run by the contract engine once a developer's contracts have spent so much gas that it pays; the reference runs them before,
 * and those whose calls of console.log are printed. Nobody can tell but by the time. */
export function installEngineOnDemand(): void {
  if (installed) return;
  installed = true;
  let engine: ContractEngine | undefined;
  let spent = 0n;
  let isOrdered = false;
  installMessageEngine((context, message) => {
    if (engine !== undefined && !isWatchingConsole(context.precompiles))
      return engine.execute(context, message);
    const outcome = executeInReference(context, message);
    spent += message.gas - outcome.gasLeft;
    if (spent > GAS_BEFORE_ENGINE && !isOrdered) {
      isOrdered = true;
      setImmediate(() => {
        const made = createContractEngine();
        made.warmUp();
        engine = made;
      });
    }
    return outcome;
  });
}
