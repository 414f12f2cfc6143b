import { fork } from "node:child_process";
import { parseArgs } from "node:util";
import { validatorSchemeByName } from "@ostrom/crypto";
import type { SignatureCheck } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { Batch } from "./batch.ts";
import { type Campaign, runCampaign, type SeedReport } from "./campaign.ts";
import { FAULT_NAMES, type FaultName } from "./faults.ts";
import { PARTICIPATION_MODES, type ParticipationMode } from "./participation/genesis.ts";
import { runParticipationCampaign } from "./participation-campaign.ts";
import { type PowCampaign, runPowCampaign } from "./pow-campaign.ts";

const HELP = `npm run sim -- --seed S [--engine simplex|pow] [--validators N] [--minutes M] [--faults all|none|LIST] [--epochs on|off]
npm run sim -- --seeds A..B [--jobs J] [the same]

Runs whole networks of real nodes in one process, each under one seed: clock, links, disks, crashes, the cost of cryptography and
Byzantine validators are simulated. The same seed gives the same run to the byte.

  --seed S            one seed, with its report; exit code 1 if an invariant is broken
  --seeds A..B        all seeds from A to B, with one line for each that fails and a summary
  --jobs J            processes that share the seeds (1)
  --engine E          simplex (default) or pow
  --participation M   modules decide who validates: membership, staking, or graduate (from one to the other)
  --validators N      how many (4)
  --minutes M         least simulated time of the bad phase (0: until the chain has most of its heights)
  --faults LIST       all (default), none, or names separated by commas:
                      ${wrap(FAULT_NAMES)}
  --epochs on|off     short epochs, and changes of the validator set (on)
  --batches M         validators make batches: all, or minority (who checks their signatures)
  --schemes LIST      the set changes its signature scheme too, among these: bls12-381, sm2, ml-dsa-44, ml-dsa-65
  --trace             writes all events as they come (one seed)
  --last N            events of each machine that are shown when an invariant is broken (60)
  --check-determinism runs each seed twice and compares
  --json              one JSON object for each seed
  --help              this
`;

function wrap(names: readonly string[]): string {
  const lines: string[] = [""];
  for (const name of names) {
    if (lines.at(-1)!.length + name.length > 90) lines.push("");
    lines[lines.length - 1] += `${name} `;
  }
  return lines.map((line) => line.trim()).join("\n                      ");
}

type Options = {
  readonly first: number;
  readonly last: number;
  readonly jobs: number;
  readonly engine: "simplex" | "pow";
  readonly participation: ParticipationMode | undefined;
  readonly validators: number;
  readonly minutes: number;
  readonly faults: readonly FaultName[];
  readonly epochs: boolean;
  readonly schemes: readonly string[] | undefined;
  readonly batches: SignatureCheck | undefined;
  readonly trace: boolean;
  readonly lastEvents: number;
  readonly checksDeterminism: boolean;
  readonly json: boolean;
};

class UsageError extends Error {
  override readonly name = "UsageError";
}

function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      jobs: { type: "string", default: "1" },
      engine: { type: "string", default: "simplex" },
      participation: { type: "string" },
      validators: { type: "string", default: "4" },
      minutes: { type: "string", default: "0" },
      faults: { type: "string", default: "all" },
      epochs: { type: "string", default: "on" },
      schemes: { type: "string" },
      batches: { type: "string" },
      trace: { type: "boolean", default: false },
      last: { type: "string", default: "60" },
      "check-determinism": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const range = /^(\d+)\.\.(\d+)$/.exec(values.seeds ?? `${values.seed}..${values.seed}`);
  if (range === null) throw new UsageError("say --seed S, or --seeds A..B");
  if (values.engine !== "simplex" && values.engine !== "pow")
    throw new UsageError(`--engine is simplex or pow, not ${values.engine}`);
  if (values.epochs !== "on" && values.epochs !== "off") throw new UsageError("--epochs is on or off");
  return {
    first: Number(range[1]),
    last: Number(range[2]),
    jobs: positive("jobs", values.jobs),
    engine: values.engine,
    participation: readMode(values.participation),
    validators: positive("validators", values.validators),
    minutes: Number(values.minutes),
    faults: readFaults(values.faults),
    epochs: values.epochs === "on",
    schemes: values.schemes?.split(","),
    batches: readBatches(values.batches),
    trace: values.trace,
    lastEvents: positive("last", values.last),
    checksDeterminism: values["check-determinism"],
    json: values.json,
  };
}

function readMode(text: string | undefined): ParticipationMode | undefined {
  const mode = PARTICIPATION_MODES.find((known) => known === text);
  if (text !== undefined && mode === undefined)
    throw new UsageError(`--participation is ${PARTICIPATION_MODES.join(", ")}, not ${text}`);
  return mode;
}

function readBatches(text: string | undefined): SignatureCheck | undefined {
  if (text !== undefined && text !== "all" && text !== "minority")
    throw new UsageError(`--batches is all or minority, not ${text}`);
  return text;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} is a number from 1 on, not ${text}`);
  return value;
}

function readFaults(text: string): readonly FaultName[] {
  if (text === "all") return FAULT_NAMES;
  if (text === "none") return [];
  return text.split(",").map((name) => {
    const fault = FAULT_NAMES.find((known) => known === name.trim());
    if (fault === undefined) throw new UsageError(`${name} is no fault; there are ${FAULT_NAMES.join(", ")}`);
    return fault;
  });
}

function readScheme(name: string): number {
  const scheme = validatorSchemeByName(name);
  if (scheme === undefined) throw new UsageError(`validators cannot vote by ${name}`);
  return scheme.id;
}

/** What one seed came to, and the story of a failure. */
type Told = { readonly report: SeedReport; readonly cpuMs: number; readonly story: string | undefined };

async function tell(seed: number, options: Options): Promise<Told> {
  const run = (): Promise<Campaign | PowCampaign> => {
    const campaign = {
      ...options,
      schemes: options.schemes?.map(readScheme),
      ...(options.trace ? { follow: (line: string) => process.stdout.write(`${line}\n`) } : {}),
    };
    if (options.participation !== undefined)
      return runParticipationCampaign(seed, options.participation, campaign);
    return (options.engine === "pow" ? runPowCampaign : runCampaign)(seed, campaign);
  };
  const before = process.cpuUsage();
  const campaign = await run();
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / US_PER_MS;
  const report = campaign.report();
  if (options.checksDeterminism) {
    const again = (await run()).report();
    if (again.traceHash !== report.traceHash || again.events !== report.events)
      throw new Error(`seed ${seed} is not deterministic: ${report.traceHash}, then ${again.traceHash}`);
  }
  const { network } = campaign;
  const story =
    report.violations.length === 0
      ? undefined
      : network.trace.render(options.lastEvents, (machine) => network.nameOf(machine));
  return { report, cpuMs, story };
}

function replayLine(
  seed: number,
  { engine, participation, validators, minutes, faults, epochs, schemes, batches }: Options,
): string {
  const names = faults.length === FAULT_NAMES.length ? "all" : faults.join(",") || "none";
  return (
    `npm run sim -- --seed ${seed} --engine ${engine}${participation === undefined ? "" : ` --participation ${participation}`} --validators ${validators} --minutes ${minutes} ` +
    `--faults ${names} --epochs ${epochs ? "on" : "off"}${schemes === undefined ? "" : ` --schemes ${schemes.join(",")}`}${batches === undefined ? "" : ` --batches ${batches}`}`
  );
}

function writeFailure({ report, story }: Told, options: Options): void {
  if (story !== undefined) console.log(story);
  for (const { invariant, timeMs, machine, message } of report.violations)
    console.log(`BROKEN ${invariant} at ${timeMs.toFixed(3)} ms, machine ${machine ?? "-"}: ${message}`);
  console.log(
    `  faults: ${report.faults.join(", ")}; actors: ${report.actors.join(", ") || "none"}; fragile: ${report.fragile}`,
  );
  console.log(`  replay: ${replayLine(report.seed, options)}`);
}

async function runHere(options: Options, batch: Batch): Promise<void> {
  for (let seed = options.first; seed <= options.last; seed++)
    take(await tell(seed, options), options, batch);
}

function take(told: Told, options: Options, batch: Batch): void {
  batch.add(told.report, told.cpuMs);
  if (options.json) console.log(JSON.stringify({ ...told.report, cpuMs: Math.round(told.cpuMs) }));
  if (told.report.violations.length > 0 && !options.json) writeFailure(told, options);
}

/** Shares the seeds among processes; each asks for the next when it has told one. */
async function runJobs(options: Options, batch: Batch, argv: readonly string[]): Promise<void> {
  let next = options.first;
  await Promise.all(
    Array.from({ length: Math.min(options.jobs, options.last - options.first + 1) }, async () => {
      const child = fork(import.meta.filename, [...argv], { env: { ...process.env, [CHILD]: "1" } });
      const give = (): void => {
        if (next > options.last) child.disconnect();
        else child.send(next++);
      };
      child.on("message", (told: Told) => {
        take(told, options, batch);
        give();
      });
      give();
      await new Promise<void>((resolve, reject) => {
        child.on("exit", (code) =>
          code === 0 ? resolve() : reject(new Error(`a process ended with ${code}`)),
        );
      });
    }),
  );
}

const US_PER_MS = 1_000;
const CHILD = "OSTROM_SIM_CHILD";

/** Tells the seeds that its parent sends. */
function serve(options: Options): void {
  process.on("message", (seed: number) => {
    tell(seed, options).then(
      (told) => process.send?.(told),
      (error: unknown) => {
        console.error(`seed ${seed}:`, error);
        process.exit(1);
      },
    );
  });
}

async function main(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv);
  if (options === undefined) {
    console.log(HELP);
    return;
  }
  installNativeCrypto();
  if (process.env[CHILD] !== undefined) {
    serve(options);
    return;
  }
  const batch = new Batch();
  if (options.jobs === 1) await runHere(options, batch);
  else await runJobs(options, batch, argv);
  if (!options.json) console.log(batch.summary());
  process.exitCode = batch.failedSeeds.length === 0 ? 0 : 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof UsageError ? `${error.message}\n\n${HELP}` : error);
  process.exitCode = 2;
});
