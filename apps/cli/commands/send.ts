import { getAddress } from "viem";
import { type Command, UsageError } from "../command.ts";
import { DEFAULT_RPC_URL } from "../rpc-client.ts";
import { KEY_FLAGS, readSigningKey } from "../signing-key.ts";
import { readAddress, readAmount, readData } from "../units.ts";
import { connectWallet } from "../wallet.ts";

export const send: Command = {
  name: "send",
  summary: "sign a transaction, send it, and wait for its receipt",
  usage: "--to ADDRESS [--value AMOUNT] [--data HEX]",
  flags: [
    {
      name: "to",
      kind: "text",
      placeholder: "ADDRESS",
      help: "receiver; without it --data creates a contract",
    },
    {
      name: "value",
      kind: "text",
      placeholder: "AMOUNT",
      help: "coins to send: 1.5, 30gwei, 100wei",
      default: "0",
    },
    { name: "data", kind: "text", placeholder: "HEX", help: "call data or init code", default: "0x" },
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "the node to send it to",
      default: DEFAULT_RPC_URL,
    },
    {
      name: "wait",
      kind: "switch",
      help: "print the hash at once, and do not wait for the receipt",
      default: true,
    },
    ...KEY_FLAGS,
  ],
  examples: [
    "ostrom send --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --value 1.5",
    "ostrom send --to 0x7099...79C8 --value 100wei --dev 3",
    "ostrom send --to 0x7099...79C8 --value 1 --signer ml-dsa.json --key-file alice.key --sender 0xf39F...2266",
    "OSTROM_PRIVATE_KEY=0x... ostrom send --data 0x6080... --rpc http://127.0.0.1:8546",
  ],
  run: async (input) => {
    const { values } = input;
    const rpc = String(values["rpc"]);
    const data = readData(String(values["data"]), "--data");
    const to = values["to"] === undefined ? undefined : readAddress(String(values["to"]), "--to");
    if (to === undefined && data === "0x")
      throw new UsageError("say where to (--to ADDRESS) or what to create (--data HEX)");
    const value = readAmount(String(values["value"]), "--value");
    const wallet = await connectWallet(rpc, readSigningKey(input));
    const hash = await wallet.send(to === undefined ? { data, value } : { to, data, value });
    if (values["wait"] !== true) {
      console.log(values["json"] === true ? JSON.stringify({ hash }) : hash);
      return 0;
    }
    const receipt = await wallet.receipt(hash);
    const outcome = {
      hash,
      status: receipt.status,
      block: Number(receipt.blockNumber),
      gasUsed: receipt.gasUsed.toString(),
      ...(receipt.contractAddress ? { contract: getAddress(receipt.contractAddress) } : {}),
    };
    if (values["json"] === true) console.log(JSON.stringify(outcome));
    else {
      const created = outcome.contract === undefined ? "" : `, contract ${outcome.contract}`;
      console.log(`${hash}  ${outcome.status} in block ${outcome.block}, ${outcome.gasUsed} gas${created}`);
    }
    return receipt.status === "success" ? 0 : 1;
  },
};
