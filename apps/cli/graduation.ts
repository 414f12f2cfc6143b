import { toHex } from "@ostrom/base";
import { importServiceModules } from "@ostrom/runtime";
import type { Decided } from "./chain-decision.ts";
import { settingsOf } from "./chain-settings.ts";
import { type CommandInput, UsageError } from "./command.ts";
import { askModules, handOverCall, scheduleCall } from "./module-registry.ts";
import { newestVersion } from "./network-profile.ts";
import type { Program } from "./program.ts";
import { askSuite, refuseStake } from "./suite-choice.ts";
import { askSet } from "./validator-contracts.ts";

const STAKING = "staking";
/** The vote has so many epochs of time, unless a height is given... */
const EPOCHS_TO_VOTE = 2;
/** ...and so many are needed from the activation until a set can be drawn: to bond, to be in a snapshot, and to reveal. */
const EPOCHS_TO_BOND = 4;

/** An alliance chain goes public: staking becomes active, strangers may take part, and at an epoch's boundary stake decides who validates.
 * @throws UsageError. */
export async function planGraduation(input: CommandInput, program: Program): Promise<Decided> {
  const { values } = input;
  const rpc = String(values["rpc"]);
  const { registry } = await askModules(rpc);
  const holder = registry?.validatorSets.holder;
  if (registry === null || holder === null || holder === undefined)
    throw new UsageError(`${rpc}: no module decides on the validators of this chain; it cannot graduate`);
  if (holder === STAKING)
    throw new UsageError(`${rpc}: stake decides on the validators of this chain already`);
  const service = (await importServiceModules(program.modules)).find(({ name }) => name === holder);
  if (service?.authority === undefined)
    throw new UsageError(`this program does not know how the module ${holder} decides: see ostrom modules`);
  const suite = await askSuite(rpc);
  const problem = suite === undefined ? undefined : refuseStake(suite);
  if (problem !== undefined) throw new UsageError(`${rpc}: ${problem}: this chain stays with its members`);
  const current = (await askSet(rpc))!;
  const length = Number(current.lastBlock) - Number(current.firstBlock) + 1;
  const now = Number(current.currentEpoch);
  const height = (values["height"] as number | undefined) ?? (now + EPOCHS_TO_VOTE) * length + 1;
  const activeIn = Math.floor((height - 1) / length);
  const earliest = activeIn + EPOCHS_TO_BOND;
  const epoch = (values["epoch"] as number | undefined) ?? earliest;
  if (epoch <= activeIn)
    throw new UsageError(
      `--epoch: staking becomes active in epoch ${activeIn}; choose a later one, such as ${earliest}`,
    );
  const module = await newestVersion(program, STAKING, values["version"] as number | undefined);
  const settings = await settingsOf(STAKING, input, program);
  const isActive = registry.modules.some(
    ({ name, active, scheduled }) => name === STAKING && (active ?? scheduled),
  );
  return {
    calls: [
      ...(isActive ? [] : [scheduleCall(module, height, settings)]),
      handOverCall(STAKING, epoch),
      ...service.authority.openToAll(),
    ],
    title: `Graduate: stake decides who validates from epoch ${epoch} on`,
    timeline: [
      "as soon as the vote has passed: whoever has coins may send transactions and deploy",
      isActive
        ? "staking is active already: bonds are accepted"
        : `block ${height} (epoch ${activeIn}): staking ${module.version} becomes active, code hash ${toHex(module.codeHash)}; bonds are accepted`,
      `epoch ${epoch}, block ${epoch * length + 1}: the first set that stake decides, if enough has bonded; else the first epoch after it`,
      "until then the members' validators go on; no block is missed",
    ],
    facts: { action: "graduate", height, epoch, module: STAKING, version: module.version },
  };
}
