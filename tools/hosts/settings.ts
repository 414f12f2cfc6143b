import { parseArgs } from "node:util";

/** What one run does. */
export type HostsSettings = {
  readonly validators: number;
  /** Of undisturbed load before the first fault. */
  readonly steadySeconds: number;
  /** On the way from one validator to another; the way back costs as much again. */
  readonly latencyMs: number;
  /** Of packets, in each direction. */
  readonly lossPercent: number;
  readonly transfersPerSecond: number;
  readonly partitionSeconds: number;
  /** A split into two parts neither of which is a quorum; 0 leaves it out. */
  readonly splitSeconds: number;
  /** A validator that hears everybody and is heard by nobody; 0 leaves it out. */
  readonly oneWayCutSeconds: number;
  /** A validator whose process is stopped and goes on; 0 leaves it out. */
  readonly pauseSeconds: number;
  /** How many validators are restarted, one after another. */
  readonly restarts: number;
  /** Blocks an epoch; undefined: what `ostrom init` says. A short one puts hand-overs between sets amid the faults. */
  readonly epochLength: number | undefined;
  /** Leaves the validators' folders and logs. */
  readonly keep: boolean;
};

const FEWEST_VALIDATORS = 4;
const MOST_VALIDATORS = 16;
const QUICK_RESTARTS = 2;
const QUICK = {
  steadySeconds: "3",
  partitionSeconds: "8",
  splitSeconds: "0",
  oneWayCutSeconds: "0",
  pauseSeconds: "0",
};
const FULL = {
  steadySeconds: "20",
  partitionSeconds: "30",
  splitSeconds: "20",
  oneWayCutSeconds: "10",
  pauseSeconds: "5",
};

/** Reads the command line. @throws Error that says what is wrong with it. */
export function readSettings(argv: readonly string[]): HostsSettings {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      validators: { type: "string", default: "7" },
      seconds: { type: "string" },
      "latency-ms": { type: "string", default: "50" },
      "loss-percent": { type: "string", default: "1" },
      load: { type: "string", default: "20" },
      "partition-seconds": { type: "string" },
      "split-seconds": { type: "string" },
      "one-way-cut-seconds": { type: "string" },
      "pause-seconds": { type: "string" },
      restarts: { type: "string" },
      "epoch-length": { type: "string" },
    },
  });
  const preset = values.quick ? QUICK : FULL;
  const validators = readNumber("--validators", values.validators, FEWEST_VALIDATORS, MOST_VALIDATORS);
  return {
    validators,
    steadySeconds: readNumber("--seconds", values.seconds ?? preset.steadySeconds, 1, 86_400),
    latencyMs: readNumber("--latency-ms", values["latency-ms"], 0, 2_000),
    lossPercent: readNumber("--loss-percent", values["loss-percent"], 0, 50),
    transfersPerSecond: readNumber("--load", values.load, 1, 500),
    partitionSeconds: readNumber(
      "--partition-seconds",
      values["partition-seconds"] ?? preset.partitionSeconds,
      0,
      3_600,
    ),
    splitSeconds: readNumber("--split-seconds", values["split-seconds"] ?? preset.splitSeconds, 0, 3_600),
    oneWayCutSeconds: readNumber(
      "--one-way-cut-seconds",
      values["one-way-cut-seconds"] ?? preset.oneWayCutSeconds,
      0,
      3_600,
    ),
    pauseSeconds: readNumber("--pause-seconds", values["pause-seconds"] ?? preset.pauseSeconds, 0, 3_600),
    restarts: readNumber(
      "--restarts",
      values.restarts ?? String(values.quick ? QUICK_RESTARTS : validators),
      0,
      validators,
    ),
    epochLength:
      values["epoch-length"] === undefined
        ? undefined
        : Math.round(readNumber("--epoch-length", values["epoch-length"], 2, 1_000_000)),
    keep: values.keep,
  };
}

function readNumber(flag: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= lowest && value <= highest) return value;
  throw new Error(`${flag}: expected a number from ${lowest} to ${highest}, found "${text}"`);
}
