import { Epoch, fromHex, type Hash, Height, must, toHex, unwrap } from "@ostrom/base";
import {
  decodeStateCertificate,
  type Executed,
  encodeStateCertificate,
  ethereumDomain,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { createLightClient, type LightClientOptions } from "../light-client.ts";
import type { Forgery, ForgeryGround } from "./forgeries.ts";
import { certify, membersOf } from "./keys.ts";
import {
  extend,
  flipBit,
  onField,
  onMethod,
  type Tamper,
  truncate,
  type ValidatorAnswer,
} from "./tampering.ts";

type Texts = Readonly<Record<string, string>>;
type SetAnswer = { readonly validators: readonly ValidatorAnswer[] };

const NEWEST = "ostrom_getStateCertificate";
const STEP = "ostrom_getEpochProof";
/** Signers whose weights (2, 1, 3, 1) stay below the quorum of 5. */
const MINORITIES = [[0], [1], [2], [3], [0, 1], [0, 3], [1, 2], [1, 3], [2, 3], [0, 1, 3]];
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Lies about certificates, sets, epochs, checkpoints and time: a client that starts at a checkpoint two epochs below the head. */
export async function* syncForgeries(ground: ForgeryGround): AsyncGenerator<Forgery> {
  yield* bentBytes(ground);
  yield* otherPeoples(ground);
  yield* wrongSigners(ground);
  yield* bentSets(ground);
  yield* badBeginnings(ground);
}

function lie(
  { world, server }: ForgeryGround,
  name: string,
  tamper: Tamper,
  change: Partial<LightClientOptions> = {},
): Forgery {
  return {
    name,
    ask: async () => {
      server.tamper = tamper;
      const { checkpoint, nowMs } = world;
      return createLightClient({ servers: [server], checkpoint, nowMs: () => nowMs, ...change }).sync();
    },
  };
}

function* bentBytes(ground: ForgeryGround): Generator<Forgery> {
  const { random } = ground;
  for (const method of [NEWEST, STEP]) {
    for (const field of ["header", "certificate"]) {
      const bend = (name: string, change: (data: string) => string): Forgery =>
        lie(ground, name, onField(method, field, change));
      for (let i = 0; i < 60; i++)
        yield bend(`bit: ${method} ${field} ${i}`, (data) => flipBit(random, data));
      for (let i = 0; i < 12; i++)
        yield bend(`truncated: ${method} ${field} ${i}`, (data) => truncate(random, data));
      for (let i = 0; i < 12; i++)
        yield bend(`extended: ${method} ${field} ${i}`, (data) => extend(random, data));
    }
    for (const answer of [null, "0x", [], {}, 7, { header: "0x", certificate: "0x" }]) {
      yield lie(
        ground,
        `shape: ${method} ${JSON.stringify(answer)}`,
        onMethod(method, () => answer),
      );
    }
  }
}

/** Headers and certificates that are good, but not for this. */
async function* otherPeoples(ground: ForgeryGround): AsyncGenerator<Forgery> {
  const { world, server, other, random } = ground;
  const certified = async (from: typeof other, height: number): Promise<Texts> => {
    const [answer] = await from.ask([{ method: NEWEST, params: [quantity(height)] }]);
    return unwrap(must(answer, "an answer comes")) as Texts;
  };
  for (let i = 0; i < 24; i++) {
    server.tamper = (_call, answer) => answer;
    const elsewhere = await certified(server, world.height - 3 - random.below(world.height - 4));
    const foreign = await certified(other, world.height - random.below(6));
    yield lie(
      ground,
      `swapped: certificate ${i}`,
      onMethod(NEWEST, (answer) => ({ ...answer, certificate: elsewhere.certificate })),
    );
    yield lie(
      ground,
      `swapped: header ${i}`,
      onMethod(NEWEST, (answer) => ({ ...answer, header: elsewhere.header })),
    );
    yield lie(
      ground,
      `other chain: head ${i}`,
      onMethod(NEWEST, () => foreign),
    );
    yield lie(
      ground,
      `other chain: step ${i}`,
      onMethod(STEP, (answer) => ({ ...answer, ...foreign })),
    );
  }
  for (let shift = -3; shift <= 3; shift++) {
    if (shift === 0) continue;
    yield lie(ground, `skipped epoch: ${shift}`, await shiftedSteps(ground, shift));
    yield lie(
      ground,
      `skipped epoch: set ${shift}`,
      await shiftedSteps(ground, shift, ["validators", "epoch"]),
    );
    yield lie(
      ground,
      `skipped epoch: certificate ${shift}`,
      await shiftedSteps(ground, shift, ["header", "certificate"]),
    );
    yield lie(
      ground,
      `skipped epoch: number ${shift}`,
      onMethod(STEP, (answer) => ({ ...answer, epoch: quantity(Math.max(0, Number(answer.epoch) + shift)) })),
    );
  }
}

/** The proof of an epoch answered with another epoch's, whole or in part. */
async function shiftedSteps(
  { world, server }: ForgeryGround,
  shift: number,
  fields?: readonly string[],
): Promise<Tamper> {
  const last = world.height / world.epochLength - 1;
  const proofs = new Map<number, Texts>();
  server.tamper = (_call, answer) => answer;
  for (let epoch = 0; epoch < last; epoch++) {
    const [answer] = await server.ask([{ method: STEP, params: [quantity(epoch)] }]);
    proofs.set(epoch, unwrap(must(answer, "an answer comes")) as Texts);
  }
  return onMethod(STEP, (answer, { params }) => {
    const found = must(proofs.get(Number(params[0]) + shift) ?? proofs.get(0), "there is a first epoch");
    if (fields === undefined) return found;
    return { ...answer, ...Object.fromEntries(fields.map((field) => [field, found[field]])) };
  });
}

/** Certificates that are rightly signed, by the wrong people or about the wrong thing. */
function* wrongSigners(ground: ForgeryGround): Generator<Forgery> {
  const { random, world } = ground;
  for (const method of [NEWEST, STEP]) {
    for (let shift = 1; shift < 8; shift++) {
      yield resigned(ground, `wrong set: ${method} ${shift}`, method, (executed) => ({
        executed,
        keys: membersOf(executed.epoch + shift),
      }));
    }
    for (const signers of MINORITIES) {
      yield resigned(ground, `too few: ${method} ${signers}`, method, (executed) => ({ executed, signers }));
    }
    for (let i = 0; i < 12; i++) {
      const strangers = [9, 10, 11, 12].map((key) => key + random.below(20) * 4);
      yield resigned(ground, `strangers: ${method} ${i}`, method, (executed) => ({
        executed,
        keys: strangers,
      }));
    }
  }
  const about: readonly (readonly [string, (executed: Executed) => Executed])[] = [
    ["next epoch", (executed) => ({ ...executed, epoch: Epoch(executed.epoch + 1) })],
    ["epoch before", (executed) => ({ ...executed, epoch: Epoch(executed.epoch - 1) })],
    ["height above", (executed) => ({ ...executed, height: Height(executed.height + 1) })],
    ["height below", (executed) => ({ ...executed, height: Height(executed.height - 1) })],
    [
      "next epoch's height",
      (executed) => ({ ...executed, height: Height(executed.height + world.epochLength) }),
    ],
    [
      "hash and digest exchanged",
      (executed) => ({ ...executed, orderDigest: executed.executedHash, executedHash: executed.orderDigest }),
    ],
    ["another hash", (executed) => ({ ...executed, executedHash: keccak256(executed.executedHash) })],
    ["another digest", (executed) => ({ ...executed, orderDigest: keccak256(executed.orderDigest) })],
  ];
  for (const [name, change] of about) {
    for (const method of [NEWEST, STEP]) {
      yield resigned(ground, `signed nonsense: ${method} ${name}`, method, (executed) => ({
        executed: change(executed),
      }));
      yield resigned(ground, `unsigned change: ${method} ${name}`, method, (executed) => ({
        executed: change(executed),
        signAs: executed,
      }));
    }
  }
  yield resigned(ground, "signed nonsense: step that names another set", STEP, (executed) => ({
    executed: { ...executed, nextSetHash: keccak256(executed.nextSetHash) },
  }));
}

type Resigning = {
  readonly executed: Executed;
  readonly signers?: readonly number[];
  readonly keys?: readonly number[];
  /** What the signatures are really of. */
  readonly signAs?: Executed;
};

function resigned(
  ground: ForgeryGround,
  name: string,
  method: string,
  change: (executed: Executed) => Resigning,
): Forgery {
  return lie(
    ground,
    name,
    onMethod(method, (answer) => {
      const genuine = unwrap(decodeStateCertificate(unwrap(fromHex(answer.certificate ?? ""))));
      const {
        executed,
        signers,
        keys = membersOf(genuine.executed.epoch),
        signAs = executed,
      } = change(genuine.executed);
      const domain = ethereumDomain(genesisHashOf(ground));
      const certificate = { ...certify(domain, signAs, signers, keys), executed };
      return { ...answer, certificate: toHex(encodeStateCertificate(certificate)) };
    }),
  );
}

function genesisHashOf({ world }: ForgeryGround): Hash {
  return unwrap(fromHex(must(world.checkpoint.split(":")[1], "a checkpoint names its chain"))) as Hash;
}

function* bentSets(ground: ForgeryGround): Generator<Forgery> {
  const { random } = ground;
  const bend = (name: string, change: (validators: readonly ValidatorAnswer[]) => unknown): Forgery =>
    lie(
      ground,
      `set: ${name}`,
      onMethod<SetAnswer>(STEP, (answer) => ({ ...answer, validators: change(answer.validators) })),
    );
  for (let i = 0; i < 12; i++) {
    const at = random.below(4);
    const replace =
      (entry: (validator: ValidatorAnswer) => ValidatorAnswer) => (validators: readonly ValidatorAnswer[]) =>
        validators.map((validator, index) => (index === at ? entry(validator) : validator));
    for (const field of ["address", "consensusKey", "transportKey"]) {
      yield bend(
        `${field} ${i}`,
        replace((validator) => ({ ...validator, [field]: flipBit(random, validator[field] ?? "") })),
      );
    }
    yield bend(
      `weight ${i}`,
      replace((validator) => ({
        ...validator,
        weight: quantity(Number(validator.weight) + 1 + random.below(9)),
      })),
    );
    yield bend(
      `weight 0 ${i}`,
      replace((validator) => ({ ...validator, weight: "0x0" })),
    );
    yield bend(`removed ${i}`, (validators) => validators.filter((_, index) => index !== at));
    yield bend(`doubled ${i}`, (validators) => [...validators, validators[at]]);
    yield bend(`moved ${i}`, (validators) => [
      ...validators.slice(1 + (i % 3)),
      ...validators.slice(0, 1 + (i % 3)),
    ]);
  }
  yield bend("empty", () => []);
  yield lie(
    ground,
    "set: scheme",
    onMethod(STEP, (answer) => ({ ...answer, schemeId: "0x2" })),
  );
}

/** Checkpoints, genesis and clocks. */
function* badBeginnings(ground: ForgeryGround): Generator<Forgery> {
  const { random, world } = ground;
  const honest: Tamper = (_call, answer) => answer;
  const from = (name: string, checkpoint: string): Forgery =>
    lie(ground, `checkpoint: ${name}`, honest, { checkpoint });
  const [prefix, genesis, height, hash, set] = world.checkpoint.split(":") as [
    string,
    string,
    string,
    string,
    string,
  ];
  for (let i = 0; i < 12; i++) {
    const bent = (text: string): string => flipBit(random, `0x${text}`).slice(2);
    yield from(`chain ${i}`, [prefix, bent(genesis), height, hash, set].join(":"));
    yield from(`hash ${i}`, [prefix, genesis, height, bent(hash), set].join(":"));
    yield from(`set ${i}`, [prefix, genesis, height, hash, bent(set)].join(":"));
    yield from(
      `height ${i}`,
      [prefix, genesis, Number(height) - 6 + i + (i > 5 ? 1 : 0), hash, set].join(":"),
    );
    yield from(`text ${i}`, world.checkpoint.slice(0, random.below(world.checkpoint.length)));
    yield from(`tail ${i}`, `${world.checkpoint}${random.below(10)}`);
  }
  yield from("of another chain", world.otherCheckpoint);
  yield lie(ground, "genesis: of another chain", honest, {
    checkpoint: undefined,
    genesis: world.otherGenesis,
  });
  yield lie(ground, "genesis: and checkpoint differ", honest, { genesis: world.otherGenesis });
  yield lie(ground, "genesis: neither", honest, { checkpoint: undefined });
  for (let i = 0; i < 24; i++) {
    yield lie(
      ground,
      `genesis: header ${i}`,
      onField("ostrom_getGenesis", "header", (header) => flipBit(random, header)),
    );
    yield lie(
      ground,
      `genesis: parameters ${i}`,
      onMethod("ostrom_getGenesis", (answer) => ({
        ...answer,
        parameters: (answer.parameters ?? "").replace("}", `,"x":${i}}`),
      })),
    );
    yield lie(
      ground,
      `checkpoint: header ${i}`,
      onMethod<readonly string[]>("ostrom_getHeaders", (headers) =>
        headers.map((header) => flipBit(random, header)),
      ),
    );
    yield lie(
      ground,
      `checkpoint: validators ${i}`,
      onMethod<SetAnswer>("ostrom_getValidators", (answer) => ({
        ...answer,
        validators: answer.validators.slice(1 + (i % 3)),
      })),
    );
    yield lie(ground, `clock: head from the future ${i}`, honest, {
      nowMs: () => world.nowMs - MINUTE_MS * (1 + i),
    });
    yield lie(ground, `clock: stale checkpoint ${i}`, honest, {
      // The head is fresh: nothing but the checkpoint is too old.
      trustingPeriodMs: 6_000 + 1_000 * i,
      maxHeadAgeMs: DAY_MS,
    });
    yield lie(ground, `clock: stale head ${i}`, honest, {
      nowMs: () => world.nowMs + DAY_MS + MINUTE_MS * i,
      maxHeadAgeMs: DAY_MS / 2,
    });
  }
}

function quantity(value: number): string {
  return `0x${value.toString(16)}`;
}
