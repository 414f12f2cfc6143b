import { type Bytes, toHex } from "@ostrom/base";
import { ecvrf } from "@ostrom/crypto";
import type { ServiceContext } from "@ostrom/runtime";
import { callOfAct } from "./act-calls.ts";
import { accountOf, fateOf, type Sent, sendCall } from "./act-sender.ts";
import { readDutiesJson } from "./duty-method.ts";
import { OPERATOR_KEY, VRF_KEY } from "./keys.ts";
import { type Act, NO_MEMORY, nextActs } from "./next-acts.ts";
import { type AskNode, createAskNode } from "./node-question.ts";

/** Between two looks. */
const LOOK_MS = 500;
/** After a look that failed, doubled with each one after it. */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;
/** Without a key nothing can be done until somebody makes one. */
const NO_KEY_REST_MS = 30_000;
/** Looks for which a transaction may wait before another takes its place. */
const PATIENCE_LOOKS = 60;

export type ValidatorServicePorts = Pick<ServiceContext, "readSecret" | "log" | "chainId"> & {
  readonly ask: AskNode;
};

/** Sends what a validator owes the chain: what it draws, once a round, and contradictions of others. It keeps nothing on disk: what it
 * has done is in the chain's state. */
export class ValidatorService {
  readonly #ports: ValidatorServicePorts;
  #memory = NO_MEMORY;
  #waiting: readonly Sent[] = [];
  #looksWaited = 0;
  #missing = "";

  constructor(ports: ValidatorServicePorts) {
    this.#ports = ports;
  }

  /** Looks at the chain once and sends what is due. Rejects if the node does not answer.
   * @returns whether it has the keys to do anything. */
  async look(): Promise<boolean> {
    const secret = this.#ports.readSecret(OPERATOR_KEY);
    const vrfSecret = this.#ports.readSecret(VRF_KEY);
    this.#tellMissing(secret, vrfSecret);
    if (secret === undefined) return false;
    // What a node sees while it catches up is long over.
    if ((await this.#ports.ask("eth_syncing", [])) !== false) return true;
    const account = accountOf(secret);
    const vrfKey = vrfSecret === undefined ? undefined : toHex(ecvrf().publicKey(vrfSecret));
    const view = readDutiesJson(await this.#ports.ask("staking_getDuties", [toHex(account), vrfKey ?? null]));
    const stuck = await this.#settle();
    if (this.#waiting.length > 0) return true;
    const { acts, memory } = nextActs(view, this.#memory, account);
    this.#memory = memory;
    for (const [index, act] of acts.entries())
      await this.#send(act, secret, vrfSecret, index === 0 ? stuck : undefined);
    return true;
  }

  /** Forgets what is in a block or gone. @returns one that has waited too long, to be replaced. */
  async #settle(): Promise<Sent | undefined> {
    const fates = await Promise.all(this.#waiting.map((sent) => fateOf(this.#ports.ask, sent)));
    this.#waiting = this.#waiting.filter((_, index) => fates[index] === "waiting");
    this.#looksWaited = this.#waiting.length === 0 ? 0 : this.#looksWaited + 1;
    if (this.#looksWaited < PATIENCE_LOOKS) return undefined;
    const [stuck] = this.#waiting;
    this.#waiting = [];
    this.#looksWaited = 0;
    return stuck;
  }

  async #send(act: Act, secret: Bytes, vrfSecret: Bytes | undefined, stuck: Sent | undefined): Promise<void> {
    const { ask, chainId, log } = this.#ports;
    const call = callOfAct(act, vrfSecret);
    if (call === undefined) return;
    const told = {
      act: act.kind,
      ...(act.kind === "reveal" ? { round: act.round, staker: act.staker } : {}),
    };
    try {
      const sent = await sendCall(ask, chainId, secret, call, stuck);
      this.#waiting = [...this.#waiting, sent];
      log(act.kind === "reveal" ? "debug" : "info", "staking: sent", { ...told, hash: sent.hash });
    } catch (error) {
      log("warn", "staking: not sent; it is tried again later", {
        ...told,
        reason: (error as Error).message,
      });
    }
  }

  #tellMissing(secret: Bytes | undefined, vrfSecret: Bytes | undefined): void {
    const missing = [secret === undefined ? OPERATOR_KEY : [], vrfSecret === undefined ? VRF_KEY : []]
      .flat()
      .join();
    if (missing !== "" && missing !== this.#missing) {
      this.#ports.log("info", "staking: keys are missing; make them with ostrom staking keys", { missing });
    }
    this.#missing = missing;
  }
}

/** Runs until the node stops. */
export async function runValidatorService(context: ServiceContext): Promise<void> {
  const { clock, log, signal } = context;
  const service = new ValidatorService({
    ...context,
    ask: createAskNode(context.rpcUrl, signal, context.rpcHeaders),
  });
  let restMs = FIRST_REST_MS;
  while (!signal.aborted) {
    let pauseMs = LOOK_MS;
    try {
      if (!(await service.look())) pauseMs = NO_KEY_REST_MS;
      restMs = FIRST_REST_MS;
    } catch (error) {
      if (signal.aborted) return;
      log("debug", "staking: the node did not answer", { reason: (error as Error).message });
      pauseMs = restMs;
      restMs = Math.min(LONGEST_REST_MS, 2 * restMs);
    }
    await pause(clock, signal, pauseMs);
  }
}

async function pause(clock: ServiceContext["clock"], signal: AbortSignal, pauseMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(pauseMs, resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  cancel();
}
