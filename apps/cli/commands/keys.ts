import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { must, toHex } from "@ostrom/base";
import { signatureScheme, validatorScheme } from "@ostrom/crypto";
import { addConsensusKey, installNativeCrypto, readPublicKeys } from "@ostrom/runtime";
import { type PlannedRegistration, planRegistrationOfNextKey } from "../checkpoint-registration.ts";
import { type Command, UsageError } from "../command.ts";
import { CREATE_FLAGS, createKeys } from "../created-keys.ts";
import {
  askSet,
  contractCall,
  readScheme,
  type ToldSet,
  VALIDATOR_SCHEME_NAMES,
  VALIDATOR_SET_ADDRESS,
} from "../validator-contracts.ts";

export const keys: Command = {
  name: "keys",
  summary: "make the keys of a new machine, or change the key that a validator signs with",
  usage: "create --out DIR --name NAME --host HOST --account ADDRESS | rotate FOLDER [--scheme NAME]",
  maxPositionals: 2,
  flags: [
    {
      name: "name",
      kind: "text",
      placeholder: "NAME",
      help: "create: the node's; rotate: the key goes to keys/consensus-NAME.key (default: a free number)",
    },
    ...CREATE_FLAGS,
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "rotate: a node that knows the present key; with it the checkpoint key is registered again too",
    },
    {
      name: "scheme",
      kind: "text",
      placeholder: "NAME",
      help: "rotate: what the new key signs by (default: as now): bls12-381, sm2, ml-dsa-44 or ml-dsa-65",
      choices: VALIDATOR_SCHEME_NAMES,
    },
  ],
  examples: [
    "ostrom keys create --out node --name bank-a-1 --organisation bank-a --host node1.bank-a.example --account 0xYours",
    "ostrom keys rotate validator-1",
    "ostrom keys rotate validator-1 --rpc http://127.0.0.1:8545",
    "ostrom keys rotate validator-1 --rpc http://127.0.0.1:8545 --scheme ml-dsa-44",
  ],
  run: async (input, program) => {
    const { values, positionals } = input;
    const [action, folder] = positionals;
    if (action === "create" && folder === undefined) return createKeys(input, program);
    if (action !== "rotate" || folder === undefined)
      throw new UsageError("say what to do: create --out DIR ..., or rotate FOLDER. See: ostrom keys --help");
    installNativeCrypto();
    const present = readPublicKeys(folder);
    if (!present.ok) throw new UsageError(present.error.message);
    const { peerId, consensus } = present.value;
    const rpc = values["rpc"] as string | undefined;
    const member = rpc === undefined ? undefined : await findMember(rpc, peerId);
    if (member === undefined && consensus.length > 1) {
      throw new UsageError(
        `${folder} holds ${consensus.length} consensus keys: name a node that knows which one the validator has now (--rpc URL)`,
      );
    }
    const previous = member?.consensusKey ?? toHex(consensus[0].publicKey);
    const presentScheme = member?.schemeId ?? consensus[0].schemeId;
    const scheme =
      values["scheme"] === undefined
        ? must(validatorScheme(presentScheme), "the present key is of a known scheme")
        : readScheme(String(values["scheme"]), "--scheme");
    const isChange = scheme.id !== presentScheme;
    const name = values["name"] === undefined ? freeName(folder) : String(values["name"]);
    const added = addConsensusKey(folder, name, (length) => new Uint8Array(randomBytes(length)), scheme.id);
    if (!added.ok) throw new UsageError(added.error.message);
    const [publicKey, proof] = [toHex(added.value.publicKey), toHex(added.value.proofOfPossession)];
    const data = contractCall(isChange ? "setNextKey" : "rotateConsensusKey", [previous, publicKey, proof]);
    const { publicKey: next } = added.value;
    const checkpoint =
      rpc === undefined || member === undefined
        ? undefined
        : await planRegistrationOfNextKey(rpc, folder, {
            account: member.address,
            previous,
            publicKey: next,
          });
    if (values["json"] === true) {
      const found = {
        file: added.value.path,
        scheme: scheme.name,
        publicKey,
        proofOfPossession: proof,
        previous,
      };
      console.log(JSON.stringify({ ...found, to: VALIDATOR_SET_ADDRESS, data, checkpoint }));
      return 0;
    }
    const account = member === undefined ? "the validator's account" : member.address;
    const told = { path: added.value.path, publicKey, proof, previous, account, data, folder };
    const lines = isChange ? describeNextKey(told, scheme.name) : describeRotation(told);
    if (rpc === undefined && signatureScheme(scheme.id)?.isPostQuantum !== true)
      lines.push("", ...warnOfCheckpoints(told));
    if (checkpoint !== undefined) lines.push("", ...describeCheckpoint(checkpoint));
    console.log(lines.join("\n"));
    return 0;
  },
};

type Told = Readonly<
  Record<"path" | "publicKey" | "proof" | "previous" | "account" | "data" | "folder", string>
>;

function describeRotation({ path, publicKey, proof, previous, account, data, folder }: Told): string[] {
  return [
    `A new consensus key is in ${path}, readable by you alone.`,
    "",
    `public key           ${publicKey}`,
    `proof of possession  ${proof}`,
    `instead of           ${previous}`,
    "",
    `Where an owner manages the validators, send from ${account}:`,
    `  ostrom send --to ${VALIDATOR_SET_ADDRESS} --data ${data} --key-file FILE`,
    "Where work elects them, the next ticket brings the key:",
    `  ostrom work --keys ${folder} --consensus-key ${publicKey} --host HOST:PORT --key-file FILE`,
    "",
    "Keep the old key: it signs until an epoch begins whose set has the new one (ostrom validators).",
  ];
}

function describeNextKey({ path, publicKey, previous, account, data }: Told, scheme: string): string[] {
  return [
    `A consensus key of ${scheme} is in ${path}, readable by you alone.`,
    "",
    `public key    ${publicKey}`,
    `for the time after  ${previous}`,
    "",
    `The validators change to ${scheme} together. Once the owner has begun that (ostrom validators scheme ${scheme}), send from ${account}:`,
    `  ostrom send --to ${VALIDATOR_SET_ADDRESS} --data ${data} --key-file FILE`,
    "",
    "When all validators have, the next epoch whose set is not decided yet votes by the new keys. Keep the old key: it signs until then.",
  ];
}

function describeCheckpoint({ file, account, to, data }: PlannedRegistration): readonly string[] {
  return [
    `THE CHECKPOINT KEY MUST BE REGISTERED AGAIN: ${file} is registered for the old consensus key alone.`,
    `Send this too, from ${account}, before the set with the new key is decided:`,
    `  ostrom send --to ${to} --data ${data} --key-file FILE`,
  ];
}

function warnOfCheckpoints({ folder, publicKey }: Told): readonly string[] {
  return [
    "WARNING: where validators certify epoch checkpoints, the checkpoint key is registered for the old consensus key alone.",
    "Register it for the new one too, before the set with the new key is decided, or this validator signs no checkpoint:",
    `  ostrom checkpoints register ${folder} --consensus-key ${publicKey} --rpc URL`,
  ];
}

/** This node's entry in the newest set that is known. */
async function findMember(
  rpc: string,
  peerId: string,
): Promise<ToldSet["validators"][number] & { readonly schemeId: number }> {
  const current = await askSet(rpc);
  const next = await askSet(rpc, Number(current!.currentEpoch) + 1);
  const newest = (next ?? current)!;
  const member = newest.validators.find(({ transportKey }) => transportKey === `0x${peerId}`);
  if (member === undefined) throw new UsageError(`${rpc}: this node is no validator of the newest set there`);
  return { ...member, schemeId: Number(newest.schemeId) };
}

function freeName(folder: string): string {
  let number = 2;
  while (existsSync(join(folder, "keys", `consensus-${number}.key`))) number++;
  return String(number);
}
