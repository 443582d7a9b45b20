package cli

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
)

// documented reads the shapes of JSON in the command's README: by command, the keys, and whether each may be missing.
func documented(t *testing.T) map[string]map[string]bool {
	t.Helper()
	_, text, _ := strings.Cut(string(readFrom(t, "../../README.md")), "## Shapes of `--json`\n")
	shapes := map[string]map[string]bool{}
	for _, part := range strings.Split(text, "\n### ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		shapes[name] = map[string]bool{}
		for _, m := range regexp.MustCompile("`([a-z_]+)`(\\??)").FindAllStringSubmatch(body, -1) {
			shapes[name][m[1]] = m[2] == "?"
		}
	}
	return shapes
}

// keysOf are the keys of an object, or of the objects of a list, at the first two levels where lists of objects are told.
func keysOf(t *testing.T, v any, into map[string]bool) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			keysOf(t, e, into)
		}
	case map[string]any:
		for k := range v {
			into[k] = true
		}
	}
}

// What commands print as JSON has the shape that is documented, key by key.
func TestShapes(t *testing.T) {
	needBundles(t)
	shapes := documented(t)
	program := dueltest.Program(t, dueltest.Sound)
	v, car := golden("nv28-multisig-007"), smallBundle(t, "account")
	t.Setenv(bundle.EnvAdded, t.TempDir())
	const proofsData = "../../../../proofs/testdata/"
	exported := filepath.Join(t.TempDir(), "v18-mainnet.car")
	ok(t, "bundle", "export", "v18/mainnet", "--out", exported)
	for _, c := range []struct {
		shape string
		args  []string
		lists []string // keys of the output whose lists of objects are told too
	}{
		{"exec", execArgs("--from", "f0101", "--to", "f0102", "--explain"), []string{"message", "sender", "receiver", "signature", "estimate"}},
		{"explain", []string{"explain", v}, []string{"messages"}},
		{"gas", []string{"gas", v}, []string{"contracts"}},
		{"decode params", []string{"decode", "params", "--actor", "market", "--method", "2", "0x420064"}, nil},
		{"decode params", []string{"decode", "return", "--actor", "miner", "--method", "GetOwner", "0x824300c80180"}, nil},
		{"decode event", []string{"decode", "event", "0x82078184036274311855" + "4101"}, []string{}},
		{"decode message", []string{"decode", "message", messageFile}, nil},
		{"decode calldata", []string{"decode", "calldata", "0xcdcd77c0"}, nil},
		{"decode calldata", []string{"decode", "revert", "0x"}, nil},
		{"decode exit-code", []string{"decode", "exit-code", "7"}, nil},
		{"decode address", []string{"decode", "address", "f0100"}, nil},
		{"decode cid", []string{"decode", "cid", "bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2"}, nil},
		{"decode bitfield", []string{"decode", "bitfield", "0x425002"}, nil},
		{"decode cbor", []string{"decode", "cbor", "0x80"}, nil},
		{"decode methods", []string{"decode", "methods", "--actor", "init"}, nil},
		{"encode params", []string{"encode", "params", "--actor", "market", "--method", "2", `"f0100"`}, nil},
		{"encode message", []string{"encode", "message", messageFile}, nil},
		{"replay", []string{"replay", chainsData + "two29.car.zst", "--network", chainsData + "two29.json", "--to", "2"}, nil},
		{"proofs keys", []string{"proofs", "keys", "--keys", proofsData + "keys-real", "--trust-params"}, []string{"keys"}},
		{"proofs verify", []string{"proofs", "verify", proofsData + "seal.json", "--name", "seal/s-v11-0/good", "--keys", proofsData + "keys-real", "--trust-params"}, nil},
		{"proofs vectors", []string{"proofs", "vectors", proofsData + "winning.json"}, nil},
		{"vectors run", []string{"vectors", "run", v}, []string{"outcomes"}},
		{"bench", []string{"bench", "--rounds", "1", v}, nil},
		{"sweep", []string{"sweep", "--oracle", program, "--most", "1", v}, nil},
		{"fuzz", []string{"fuzz", "--oracle", program, "--for", "0", "--cases", "1", "--layers", "envelopes", "-j", "1"}, nil},
		{"oracle apply", []string{"oracle", "apply", "--oracle", program, v}, nil},
		{"soak", []string{"soak", "--minutes", "0.001", v}, []string{"samples"}},
		{"cache info", []string{"cache", "info", "--cache", t.TempDir()}, nil},
		{"cache info", []string{"cache", "clean", "--cache", t.TempDir()}, nil},
		{"cache build", []string{"cache", "build", "--bundle", car, "--nv", "28", "--cache", t.TempDir()}, []string{"actors"}},
		{"bundle list", []string{"bundle", "list"}, nil},
		{"bundle cids", []string{"bundle", "cids", "v18/mainnet"}, nil},
		{"bundle add", []string{"bundle", "add", exported}, nil},
		{"state ls", []string{"state", "ls", "--car", stateCAR, "--kind", "system"}, nil},
		{"state actor", []string{"state", "actor", "f01", "--car", stateCAR}, nil},
		{"state stat", []string{"state", "stat", "--car", stateCAR, "--partial"}, []string{"by"}},
		{"state export", []string{"state", "export", "f01", "--car", stateCAR, "--out", filepath.Join(t.TempDir(), "x.car")}, nil},
		{"chain info", chainArgs("info"), nil},
		{"chain tipset", chainArgs("tipset", "4"), []string{"messages"}},
		{"chain message", chainArgs("message", "bafy2bzaceacwbk3gbma6q5krb7c7pawguwc6fdvylpljl32t35xuau7gh6mqs", "--at", "4"), nil},
		{"chain state actor", chainArgs("state", "actor", "f01", "--at", "4"), nil},
		{"chain state actors", chainArgs("state", "actors", "--at", "4", "--kind", "system"), nil},
		{"version", []string{"version"}, nil},
	} {
		r := run(t, append(c.args, "--json")...)
		if r.Code != exitOK && c.shape != "soak" { // which is too short to judge, and says so
			t.Errorf("%s: exit code %d\n%s", c.shape, r.Code, r.Err)
			continue
		}
		var out any
		if err := json.Unmarshal([]byte(r.Out), &out); err != nil {
			t.Errorf("%s: %v", c.shape, err)
			continue
		}
		got := map[string]bool{}
		keysOf(t, out, got)
		for _, key := range c.lists {
			keysOf(t, out.(map[string]any)[key], got)
		}
		want := shapes[c.shape]
		for k := range got {
			if _, ok := want[k]; !ok {
				t.Errorf("%s: the key %q is not documented", c.shape, k)
			}
		}
		if c.shape == "cache info" || c.shape == "soak" { // of which inner objects share names, or samples may be none
			continue
		}
		for k, missing := range want {
			if !missing && !got[k] {
				t.Errorf("%s: the key %q is documented and not there", c.shape, k)
			}
		}
	}
	for name := range shapes {
		words := strings.Fields(name)
		cmd, _, err := newRoot().Find(words)
		if err != nil || cmd.Flags().Lookup("json") == nil {
			t.Errorf("there is a shape of %q, which prints no JSON: %v", name, err)
		}
	}
}

// chainsData is the folder of some.
const chainsData = "../../../../node/replay/testdata/"

// chainArgs are a command line on a chain.
func chainArgs(words ...string) []string {
	return append(append([]string{"chain"}, words...), "--chain", chainsData+"two29.car.zst", "--network", chainsData+"two29.json")
}
