import { readFileSync } from "node:fs";
import { Address, type Bytes, concatBytes, fromHex, must, toHex, unwrap } from "@ostrom/base";
import { planUpload } from "@ostrom/vm";
import { getAddress, type Hex } from "viem";
import { type Command, UsageError } from "../command.ts";
import { ask, DEFAULT_RPC_URL } from "../rpc-client.ts";
import { KEY_FLAGS, readSigningKey } from "../signing-key.ts";
import { readAmount, readData } from "../units.ts";
import { connectWallet, type Wallet } from "../wallet.ts";

/** What a file holds, by its first bytes. */
type Contract = { readonly kind: "evm" | "webassembly" | "riscv"; readonly bytes: Bytes };

const WEBASSEMBLY_MAGIC = [0x00, 0x61, 0x73, 0x6d];
const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

export const deploy: Command = {
  name: "deploy",
  summary: "deploy a contract from a file, in several transactions if it is large",
  usage: "FILE [--constructor HEX] [--value AMOUNT]",
  maxPositionals: 1,
  flags: [
    {
      name: "constructor",
      kind: "text",
      placeholder: "HEX",
      help: "the constructor's arguments, encoded by the Solidity ABI",
      default: "0x",
    },
    { name: "value", kind: "text", placeholder: "AMOUNT", help: "coins for the contract", default: "0" },
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "the node to send it to",
      default: DEFAULT_RPC_URL,
    },
    ...KEY_FLAGS,
  ],
  examples: [
    "ostrom deploy languages/rust/erc20/erc20.wasm --constructor 0x000000000000000000000000000000000000000000000000000000000000ffff",
    "ostrom deploy token.elf --dev 3",
    "ostrom deploy Token.bin",
  ],
  run: async (input) => {
    const [path] = input.positionals;
    if (path === undefined)
      throw new UsageError("name the file: .wasm, a RISC-V ELF file, or init code in hex");
    const { values } = input;
    const contract = readContract(path);
    const argument = unwrap(fromHex(readData(String(values["constructor"]), "--constructor")));
    const value = readAmount(String(values["value"]), "--value");
    const rpc = String(values["rpc"]);
    const wallet = await connectWallet(rpc, readSigningKey(input));
    const { address } = wallet.account;
    const nonce = BigInt(await ask<string>(rpc, "eth_getTransactionCount", [address, "pending"]));
    const initCodes = plan(contract, argument, Address(unwrap(fromHex(address))), nonce);
    for (const [index, chunk] of initCodes.slice(0, -1).entries()) {
      const { contract: at } = await sendCreation(wallet, chunk, 0n);
      if (values["json"] !== true) console.log(`chunk ${index + 1} of ${initCodes.length - 1}: ${at}`);
    }
    const done = await sendCreation(wallet, must(initCodes.at(-1), "a plan has a last step"), value);
    if (values["json"] === true) console.log(JSON.stringify({ kind: contract.kind, ...done }));
    else
      console.log(`${done.contract}  ${contract.kind}, ${contract.bytes.length} bytes, ${done.gasUsed} gas`);
    return 0;
  },
};

function readContract(path: string): Contract {
  let bytes: Bytes;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
  if (WEBASSEMBLY_MAGIC.every((byte, at) => bytes[at] === byte)) return { kind: "webassembly", bytes };
  if (ELF_MAGIC.every((byte, at) => bytes[at] === byte)) return { kind: "riscv", bytes };
  const code = fromHex(`0x${new TextDecoder().decode(bytes).trim().replace(/^0x/, "")}`);
  if (!code.ok || code.value.length === 0)
    throw new UsageError(`${path} is neither WebAssembly, nor an ELF file, nor init code in hex`);
  return { kind: "evm", bytes: code.value };
}

/** Init codes of the creations to send one after the other; the last one makes the contract. */
function plan(
  { kind, bytes }: Contract,
  constructorInput: Bytes,
  deployer: Address,
  nonce: bigint,
): readonly Bytes[] {
  if (kind === "evm") return [concatBytes(bytes, constructorInput)];
  try {
    return planUpload({ kind, program: bytes, constructorInput, deployer, nonce }).initCodes;
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

async function sendCreation(
  wallet: Wallet,
  initCode: Bytes,
  value: bigint,
): Promise<{ readonly hash: Hex; readonly contract: Hex; readonly gasUsed: string }> {
  const hash = await wallet.send({ data: toHex(initCode), value });
  const { status, contractAddress, gasUsed } = await wallet.receipt(hash);
  if (status !== "success" || !contractAddress)
    throw new UsageError(`the creation failed (${hash}, ${gasUsed} gas)`);
  return { hash, contract: getAddress(contractAddress), gasUsed: gasUsed.toString() };
}
