import { createRequire } from "node:module";
import hardhatNodeTestRunner from "@nomicfoundation/hardhat-node-test-runner";
import hardhatViem from "@nomicfoundation/hardhat-viem";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

export default defineConfig({
  plugins: [hardhatViem, hardhatNodeTestRunner],
  // npm's compiler, by path: without it Hardhat downloads one.
  solidity: { version: "0.8.37", path: require.resolve("solc/soljson.js") },
  networks: {
    ostrom: {
      type: "http",
      url: process.env["OSTROM_RPC_URL"] ?? "http://127.0.0.1:8545",
      accounts: { mnemonic: "test test test test test test test test test test test junk" },
    },
  },
});
