// Compiles Multicall3.sol: node build.js FOLDER, where FOLDER has node_modules with solc 0.8.37. It writes multicall3.hex, the code that
// runs. Paris has no instruction that network version 18 lacks.
const fs = require('fs'), path = require('path');
const solc = require(path.join(process.argv[2], 'node_modules', 'solc'));
const name = 'Multicall3.sol', here = f => path.join(__dirname, f);
const out = JSON.parse(solc.compile(JSON.stringify({
  language: 'Solidity', sources: { [name]: { content: fs.readFileSync(here(name), 'utf8') } },
  settings: { evmVersion: 'paris', optimizer: { enabled: true, runs: 100000 }, metadata: { bytecodeHash: 'none', appendCBOR: false }, outputSelection: { '*': { '*': ['evm.deployedBytecode.object'] } } },
})));
for (const e of out.errors || []) console.error(e.formattedMessage);
fs.writeFileSync(here('multicall3.hex'), out.contracts[name].Multicall3.evm.deployedBytecode.object + '\n');
