require("@nomicfoundation/hardhat-chai-matchers");
require("@nomicfoundation/hardhat-ethers");
require("@nomicfoundation/hardhat-ignition-ethers");
require("@openzeppelin/hardhat-upgrades");
const { subtask } = require("hardhat/config");
const { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } = require("hardhat/builtin-tasks/task-names");

// The compiler of the npm package solc. Without this Hardhat downloads one.
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async () => ({
  compilerPath: require.resolve("solc/soljson.js"),
  isSolcJs: true,
  version: "0.8.37",
  longVersion: require("solc").version().replace(".Emscripten.clang", ""),
}));

module.exports = {
  solidity: { version: "0.8.37", settings: { evmVersion: "cancun", optimizer: { enabled: true, runs: 200 } } },
  networks: { dev: { url: "http://127.0.0.1:8545" } },
};
