import { type Bytes, must, toHex } from "@ostrom/base";
import {
  epochOfHeight,
  MODULE_REGISTRY_ADDRESS,
  moduleNameBytes,
  readModuleRegistry,
} from "@ostrom/execution";
import { contractCall } from "@ostrom/membership-service";
import type { ModuleCall } from "@ostrom/runtime";
import { encodeStakingSettings } from "@ostrom/staking-chain";
import { encodeCall } from "../abi.ts";
import { between } from "../random.ts";
import { decide } from "./alliance-acts.ts";
import { type Act, type Scene, type Script, until } from "./director.ts";
import { holderOf } from "./members.ts";
import { simulatedModule } from "./modules.ts";

const LEAST_HEIGHT = 6;
/** The vote takes some blocks, and the registry wants notice. */
const MIN_NOTICE = 20;
const MAX_NOTICE = 32;
const MAX_EPOCHS_TO_BOND = 3;
const LONG_TURNS = 2_000;

/** The members decide, once, that stake shall: as `ostrom chain graduate` proposes it. */
export function graduateAct(): Act {
  let isUnderWay = false;
  return {
    name: "graduate",
    changesSet: false,
    begin: (scene) => {
      if (isUnderWay || scene.height < LEAST_HEIGHT || isScheduled(scene)) return undefined;
      isUnderWay = true;
      return graduate(scene, () => {
        isUnderWay = false;
      });
    },
  };
}

function* graduate(scene: Scene, ended: () => void): Script {
  const { random, schedule } = scene;
  const height = scene.height + between(random, MIN_NOTICE, MAX_NOTICE);
  const fromEpoch = epochOfHeight(schedule, height) + between(random, 1, MAX_EPOCHS_TO_BOND);
  const settings = encodeStakingSettings({ ...scene.participation.staking, genesisHash: scene.genesisHash });
  const calls = [
    scheduleCall(height, settings),
    handOverCall(fromEpoch),
    contractCall("setOpenToAll", [true]),
  ];
  yield* decide(scene, calls, "graduation decided", true);
  const later = yield [];
  ended();
  if (!isScheduled(later)) return;
  const end = yield* until(({ state }) => holderOf(state) === "staking", LONG_TURNS);
  if (end !== undefined) end.strike("graduated");
}

function isScheduled({ state }: Scene): boolean {
  return readModuleRegistry(state)?.modules.some(({ name }) => name === "staking") === true;
}

function scheduleCall(height: number, settings: Bytes): ModuleCall {
  const module = must(simulatedModule("staking"), "the program has staking");
  return {
    to: MODULE_REGISTRY_ADDRESS,
    data: encodeCall("schedule(bytes32,uint32,bytes32,uint64,bytes)", [
      wordOfName("staking"),
      BigInt(module.version),
      BigInt(toHex(module.codeHash)),
      BigInt(height),
      settings,
    ]),
  };
}

function handOverCall(fromEpoch: number): ModuleCall {
  const data = encodeCall("handOver(bytes32,uint64)", [wordOfName("staking"), BigInt(fromEpoch)]);
  return { to: MODULE_REGISTRY_ADDRESS, data };
}

function wordOfName(name: string): bigint {
  return BigInt(toHex(moduleNameBytes(name)));
}
