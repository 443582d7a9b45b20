import { fileURLToPath } from "node:url";
import viem from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";

export default defineConfig({
  plugins: [viem],
  solidity: {
    version: "0.8.37",
    // The compiler of the npm package solc. Without this line Hardhat downloads one.
    path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
    settings: { evmVersion: "cancun", optimizer: { enabled: true, runs: 200 } },
  },
  networks: {
    dev: { type: "http", chainType: "l1", url: "http://127.0.0.1:8545" },
  },
});
