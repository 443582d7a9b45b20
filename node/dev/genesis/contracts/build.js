// Compiles Multicall3.sol and the tests' Token.sol: node build.js FOLDER, where FOLDER has node_modules with solc 0.8.37. It writes
// multicall3.hex, the code that runs, and token.hex, the code that deploys it. Paris has no instruction that network version 18 lacks.
const fs = require('fs'), path = require('path');
const solc = require(path.join(process.argv[2], 'node_modules', 'solc'));
for (const [source, contract, code, to] of [
  ['Multicall3.sol', 'Multicall3', 'deployedBytecode', 'multicall3.hex'], ['../testdata/Token.sol', 'Token', 'bytecode', '../testdata/token.hex'],
]) {
  const out = JSON.parse(solc.compile(JSON.stringify({
    language: 'Solidity', sources: { [source]: { content: fs.readFileSync(path.join(__dirname, source), 'utf8') } },
    settings: {
      evmVersion: 'paris', optimizer: { enabled: true, runs: 100000 }, metadata: { bytecodeHash: 'none', appendCBOR: false },
      outputSelection: { '*': { '*': ['evm.' + code + '.object'] } },
    },
  })));
  for (const e of out.errors || []) console.error(e.formattedMessage);
  fs.writeFileSync(path.join(__dirname, to), out.contracts[source][contract].evm[code].object + '\n');
}
