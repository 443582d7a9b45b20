#!/usr/bin/env bash
# Filecoin addresses in JavaScript: two libraries and the network disagree about large IDs.
#
# Packages  @glif/filecoin-address 4.0.0, iso-filecoin 7.4.7 (npm)
# Needs     node 20 or newer, npm
# Expected  An ID address is an unsigned number of 64 bits; go-address takes those below 2^63. Two libraries of the same
#           ecosystem take the same texts.
# Seen      iso-filecoin takes any number, also above 64 bits, and makes bytes of it that no node reads as an address.
#           @glif/filecoin-address stops by the length of the bytes: at 2^63 it still goes on, at 2^64-1, which the VM's
#           own code accepts, it does not, and the text of the error says length. Both read f00007 and print it as f07, so
#           that two texts that differ are one address: they must not be compared as text.
#
# What it printed, and must print:
#> f00007: glif f07 0007, iso f07 0007
#> f09223372036854775807: glif f09223372036854775807 00ffffffffffffffff7f, iso f09223372036854775807 00ffffffffffffffff7f
#> f09223372036854775808: glif f09223372036854775808 0080808080808080808001, iso f09223372036854775808 0080808080808080808001
#> f018446744073709551615: glif Invalid ID address length, iso f018446744073709551615 00ffffffffffffffffff01
#> f0184467440737095516160: glif Invalid ID address length, iso f0184467440737095516160 0080808080808080808014
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
{ command -v node && command -v npm; } >/dev/null || { echo "needs node and npm" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private":true}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact @glif/filecoin-address@4.0.0 iso-filecoin@7.4.7 >&2 ||
	{ echo "could not be installed" >&2; exit 3; }

cat > finding.mjs <<'EOF'
import glif from '@glif/filecoin-address'
import * as iso from 'iso-filecoin/address'

const hex = (b) => Buffer.from(b).toString('hex')
const attempt = (f) => { try { return f() } catch (e) { return e.message } }
for (const text of ['f00007', `f0${2n ** 63n - 1n}`, `f0${2n ** 63n}`, `f0${2n ** 64n - 1n}`, `f0${10n * 2n ** 64n}`]) {
  const a = attempt(() => { const x = glif.newFromString(text); return `${x} ${hex(x.bytes)}` })
  const b = attempt(() => { const x = iso.fromString(text); return `${x} ${hex(x.toBytes())}` })
  console.log(`${text}: glif ${a}, iso ${b}`)
}
EOF
seen=$(node finding.mjs 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
