// Compiles contracts/ to build/NAME.json, by the compiler of the npm package solc.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const sources = Object.fromEntries(
  readdirSync("contracts").map((file) => [file, { content: readFileSync(`contracts/${file}`, "utf8") }]),
);
const settings = {
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 200 },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};
const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
for (const error of output.errors ?? []) console.error(error.formattedMessage);
if (output.errors?.some((error) => error.severity === "error")) process.exit(1);

mkdirSync("build", { recursive: true });
for (const contracts of Object.values(output.contracts)) {
  for (const [name, { abi, evm }] of Object.entries(contracts)) {
    writeFileSync(`build/${name}.json`, JSON.stringify({ abi, bytecode: `0x${evm.bytecode.object}` }));
  }
}
