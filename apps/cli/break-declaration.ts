import { equalBytes, toHex } from "@ostrom/base";
import { type AccountSigner, breakCall, keyPairSigner, readBreakers, signBreak } from "@ostrom/sdk";
import { type Hex, isHex } from "viem";
import { type CommandInput, type Flag, readList, UsageError } from "./command.ts";
import { sendToKeySets } from "./key-set-errors.ts";
import { ask } from "./rpc-client.ts";
import { readKeys, readSigningKey } from "./signing-key.ts";
import { connectWallet, contractCall, requireKeySets } from "./wallet.ts";

const MS_PER_SECOND = 1_000;

/** Flags of `ostrom chain declare-broken`. */
export const BREAK_FLAGS: readonly Flag[] = [
  {
    name: "since",
    kind: "text",
    placeholder: "TIME",
    help: "declare-broken: when elliptic curves were broken, in unix seconds or as 2040-01-31T12:00:00Z",
  },
  {
    name: "breaker",
    kind: "list",
    placeholder: "NAME",
    help: "declare-broken: keystore or file of a key that genesis names for this; repeat",
  },
  {
    name: "signature",
    kind: "list",
    placeholder: "N:HEX",
    help: "declare-broken: what another breaker's --sign-only printed; repeat",
  },
  { name: "sign-only", kind: "switch", help: "declare-broken: print the signatures, send nothing" },
];

type BreakerSignature = { readonly keyIndex: number; readonly signature: Hex };

/** `ostrom chain declare-broken`: irrevocable. @returns the exit code. @throws UsageError. */
export async function declareBroken(input: CommandInput): Promise<number> {
  const { values } = input;
  const rpc = String(values["rpc"]);
  const since = readTime(values["since"]);
  await requireKeySets(rpc);
  const breakers = await readBreakers(contractCall(rpc));
  if (breakers.since !== 0)
    throw new UsageError(`elliptic curves have been declared broken, since ${describeTime(breakers.since)}`);
  const chainId = Number(await ask<string>(rpc, "eth_chainId"));
  const own: BreakerSignature[] = [];
  for (const name of readList(values["breaker"])) {
    const { keys } = await readKeys(name, values);
    for (const signer of keys.map(keyPairSigner)) {
      const keyIndex = indexOf(signer, breakers.keys, name);
      own.push({ keyIndex, signature: await signBreak(chainId, since, signer) });
    }
  }
  if (values["signOnly"] === true) {
    for (const { keyIndex, signature } of own)
      console.log(
        values["json"] === true ? JSON.stringify({ since, keyIndex, signature }) : `${keyIndex}:${signature}`,
      );
    return 0;
  }
  const signatures = [...own, ...readList(values["signature"]).map(readSignature)];
  if (signatures.length < breakers.threshold)
    throw new UsageError(
      `${breakers.threshold} of the ${breakers.keys.length} keys must sign; ${signatures.length} have`,
    );
  const wallet = await connectWallet(rpc, readSigningKey(input));
  const { hash } = await sendToKeySets(rpc, wallet, breakCall(since, signatures));
  console.log(
    values["json"] === true
      ? JSON.stringify({ hash, since })
      : `${hash}\nDeclared: elliptic curves count for nothing from the next block on; changes of keys that they alone made since ${describeTime(since)} are void.`,
  );
  return 0;
}

function indexOf(
  { schemeId, publicKey }: AccountSigner,
  breakers: Awaited<ReturnType<typeof readBreakers>>["keys"],
  name: string,
): number {
  const index = breakers.findIndex(
    (breaker) => breaker.schemeId === schemeId && equalBytes(breaker.publicKey, publicKey),
  );
  if (index < 0)
    throw new UsageError(`--breaker ${name}: genesis does not name ${toHex(publicKey).slice(0, 18)}...`);
  return index;
}

function readSignature(text: string): BreakerSignature {
  const [index = "", signature = ""] = text.split(":");
  if (!/^\d{1,2}$/.test(index) || !isHex(signature))
    throw new UsageError("--signature: expected N:HEX, as --sign-only prints it");
  return { keyIndex: Number(index), signature };
}

function readTime(value: unknown): number {
  if (typeof value !== "string") throw new UsageError("say since when: --since TIME");
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.floor(Date.parse(value) / MS_PER_SECOND);
  if (!Number.isSafeInteger(seconds) || seconds <= 0)
    throw new UsageError(
      `--since: expected unix seconds or a date such as 2040-01-31T12:00:00Z, found "${value}"`,
    );
  return seconds;
}

function describeTime(seconds: number): string {
  return new Date(seconds * MS_PER_SECOND).toISOString();
}
