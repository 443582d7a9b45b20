#!/usr/bin/env bash
# OpenZeppelin Contracts: ERC721 and ERC20Permit of 5.5.0 and later do not compile for older EVMs, plain ERC20 does.
#
# Packages  @openzeppelin/contracts 5.4.0, 5.5.0 and 5.7.0, solc 0.8.31 (npm)
# Needs     node 20 or newer, npm
# Expected  The sources ask for a version of the compiler alone; a minor version compiles for the EVM that the one before did. Filecoin
#           has the instructions of Cancun only in part before network version 25.
# Seen      From 5.5.0 on a utility that names and signatures reach uses MCOPY in assembly, so that much of the library no
#           longer compiles below cancun. What does not touch it (ERC20, Ownable) still does: a project notices on the day
#           it adds a permit. Compiled for cancun and deployed where MCOPY is missing, it fails when it is called.
#
# What it printed, and must print:
#> 5.4.0 ERC20 for shanghai: compiles
#> 5.4.0 ERC20Permit for shanghai: compiles
#> 5.4.0 ERC721 for shanghai: compiles
#> 5.5.0 ERC20 for shanghai: compiles
#> 5.5.0 ERC20Permit for shanghai: 3 errors, in @openzeppelin/contracts/utils/Bytes.sol: The "mcopy" instruction is only available for Cancun-compatible VMs (you are currently compiling for "shanghai").
#> 5.5.0 ERC20Permit for cancun: compiles
#> 5.5.0 ERC721 for shanghai: 3 errors, in @openzeppelin/contracts/utils/Bytes.sol: The "mcopy" instruction is only available for Cancun-compatible VMs (you are currently compiling for "shanghai").
#> 5.5.0 ERC721 for cancun: compiles
#> 5.7.0 ERC20 for shanghai: compiles
#> 5.7.0 ERC20Permit for shanghai: 4 errors, in @openzeppelin/contracts/utils/Bytes.sol: The "mcopy" instruction is only available for Cancun-compatible VMs (you are currently compiling for "shanghai").
#> 5.7.0 ERC20Permit for cancun: compiles
#> 5.7.0 ERC721 for shanghai: 4 errors, in @openzeppelin/contracts/utils/Bytes.sol: The "mcopy" instruction is only available for Cancun-compatible VMs (you are currently compiling for "shanghai").
#> 5.7.0 ERC721 for cancun: compiles
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
{ command -v node && command -v npm; } >/dev/null || { echo "needs node and npm" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private":true}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact \
	solc@0.8.31 before@npm:@openzeppelin/contracts@5.4.0 \
	first@npm:@openzeppelin/contracts@5.5.0 \
	newest@npm:@openzeppelin/contracts@5.7.0 >&2 ||
	{ echo "could not be installed" >&2; exit 3; }

cat > finding.cjs <<'EOF'
const fs = require('fs')
const solc = require('solc')

const files = {
  ERC20: 'token/ERC20/ERC20.sol',
  ERC20Permit: 'token/ERC20/extensions/ERC20Permit.sol',
  ERC721: 'token/ERC721/ERC721.sol',
}
function compile (folder, name, evmVersion) {
  const find = (path) => {
    try {
      return { contents: fs.readFileSync(path.replace('@openzeppelin/contracts', `node_modules/${folder}`), 'utf8') }
    } catch (e) {
      return { error: String(e) }
    }
  }
  const input = {
    language: 'Solidity',
    sources: { 'a.sol': { content: `pragma solidity ^0.8.24; import "@openzeppelin/contracts/${files[name]}";` } },
    settings: { evmVersion, outputSelection: { '*': { '*': ['abi'] } } },
  }
  const errors = (JSON.parse(solc.compile(JSON.stringify(input), { import: find })).errors ?? [])
    .filter((e) => e.severity === 'error')
  return errors.length === 0 ? 'compiles' : `${errors.length} errors, in ${errors[0].sourceLocation.file}: ${errors[0].message}`
}
for (const folder of ['before', 'first', 'newest']) {
  const { version } = JSON.parse(fs.readFileSync(`node_modules/${folder}/package.json`, 'utf8'))
  for (const name of Object.keys(files)) {
    const shanghai = compile(folder, name, 'shanghai')
    console.log(`${version} ${name} for shanghai: ${shanghai}`)
    if (shanghai !== 'compiles') console.log(`${version} ${name} for cancun: ${compile(folder, name, 'cancun')}`)
  }
}
EOF
seen=$(node finding.cjs 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
