package decoding_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

const (
	transferTopic = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef" // keccak-256 of Transfer(address,address,uint256), as all tokens have it
	someone       = zero12 + "1111111111111111111111111111111111111111"
	another       = zero12 + "2222222222222222222222222222222222222222"
)

// One event, a claim of FIP-0083 with a field of each kind of flags, in each form in which people have it.
func TestEventForms(t *testing.T) {
	entries := "83" +
		"84036524747970651851" + "46" + "65636c61696d" + // $type, flags 3, codec 0x51: the text "claim" in CBOR
		"84036269641851" + "42" + "1864" + // id: 100
		"84016373697a1851" + "41" + "05" // siz: 5, not indexed
	const json = `"entries":[{"FLAGS":3,"KEY":"$type","CODEC":81,"VALUE":"ZWNsYWlt"},{"Flags":3,"Key":"id","Codec":81,"Value":"GGQ="},{"flags":1,"key":"siz","codec":81,"hex":"05"}]`
	for name, input := range map[string]string{
		"CBOR":                        "0x8206" + entries,
		"a list in CBOR":              "0x818206" + entries,
		"a node's JSON":               `{"emitter":6,` + json + `}`,
		"with an address":             `{"emitter":"f06",` + json + `}`,
		"of a test network":           `{"emitter":"t06",` + json + `}`,
		"with a masked id":            `{"emitter":"0xff00000000000000000000000000000000000006",` + json + `}`,
		"a list":                      `[{"emitter":6,` + json + `}]`,
		"with values in hex":          `{"emitter":6,"entries":[{"flags":3,"key":"$type","codec":81,"value":"0x65636c61696d"},{"flags":3,"key":"id","codec":81,"value":"0x1864"},{"flags":1,"key":"siz","codec":81,"hex":"0x05"}]}`,
		"a file of JSON":              clitest.WriteTo(t, filepath.Join(t.TempDir(), "e.json"), []byte(`{"emitter":6,`+json+`}`)),
		"a file of CBOR":              clitest.WriteTo(t, filepath.Join(t.TempDir(), "e.cbor"), []byte(unhex(t, "8206"+entries))),
		"a file of hex, with a space": clitest.WriteTo(t, filepath.Join(t.TempDir(), "e.hex"), []byte("8206 "+entries+"\n")),
	} {
		t.Run(name, func(t *testing.T) {
			list := clitest.FromJSON[[]shownEvent](t, edgefvm.OK(t, "decode", "event", "--json", input))
			if len(list) != 1 || list[0].Emitter != 6 || list[0].Type != "claim" || len(list[0].Fields) != 2 {
				t.Fatalf("%+v", list)
			}
			if f := list[0].Fields; f[0].Key != "id" || f[0].Value != 100.0 || !f[0].Indexed || f[1].Key != "siz" || f[1].Value != 5.0 || f[1].Indexed {
				t.Errorf("%+v", f)
			}
			if out := edgefvm.OK(t, "decode", "event", input); out != "claim, by f06\n  id: 100\n  siz: 5\n" {
				t.Errorf("%s", out)
			}
		})
	}
}

func unhex(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(text); i += 2 {
		var n byte
		if _, err := fmt.Sscanf(text[i:i+2], "%02x", &n); err != nil {
			t.Fatal(err)
		}
		b.WriteByte(n)
	}
	return b.String()
}

// Logs of contracts, with and without an ABI that knows them.
func TestLogs(t *testing.T) {
	log := func(topics []string, data string) string {
		for i := range topics {
			topics[i] = `"0x` + topics[i] + `"`
		}
		return `{"address":"0xff00000000000000000000000000000000000064","topics":[` + strings.Join(topics, ",") + `],"data":"0x` + data + `"}`
	}
	for _, c := range []struct{ name, input, plain, byABI string }{
		{"a transfer", log([]string{transferTopic, someone, another}, word(1000)),
			"log, by f0100\n  topic: \"0x" + transferTopic + "\"\n  0: \"0x" + someone + "\"\n  1: \"0x" + another + "\"\n  2: \"0x" + word(1000) + "\"\n",
			"Transfer(address,address,uint256), by f0100\n  from: \"0x1111111111111111111111111111111111111111\"\n  to: \"0x2222222222222222222222222222222222222222\"\n  value: \"1000\"\n"},
		{"another's", log([]string{word(7)}, word(8)),
			"log, by f0100\n  topic: \"0x" + word(7) + "\"\n  0: \"0x" + word(8) + "\"\n",
			"log, by f0100\n  topic: \"0x" + word(7) + "\"\n  0: \"0x" + word(8) + "\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out := edgefvm.OK(t, "decode", "event", c.input); out != c.plain {
				t.Errorf("%s\nwant %s", out, c.plain)
			}
			if out := edgefvm.OK(t, "decode", "log", "--abi", "testdata/Token.json", c.input); !strings.HasPrefix(out, strings.TrimSuffix(c.byABI, "\n")) {
				t.Errorf("%s\nwant %s", out, c.byABI)
			}
		})
	}
	// One whose data the ABI's types do not fit is shown by its words, with a note.
	out := edgefvm.OK(t, "decode", "event", "--abi", "testdata/Token.json", log([]string{transferTopic, someone, another}, "00"))
	if !strings.Contains(out, "note: ") || !strings.Contains(out, "0x"+someone) {
		t.Errorf("cut data:\n%s", out)
	}
	// Without topics, and without data; by nobody whose id is told.
	out = edgefvm.OK(t, "decode", "event", `{"address":"0x0426d88556bf538d6eefea76f16386fcd8ca5353","topics":[],"data":"0x00"}`)
	if !strings.HasPrefix(out, "log\n  0: \"0x00\"\n") || !strings.Contains(out, "anonymous") {
		t.Errorf("%s", out)
	}
	for _, none := range []string{"[]", "0x80"} {
		if out := edgefvm.OK(t, "decode", "events", none); out != "no events\n" {
			t.Errorf("%s: %s", none, out)
		}
	}
}

// What is no event is told with its place.
func TestEventMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		code        int
		input, want string
	}{
		"a number":              {kit.ExitFailed, `[1]`, "[0]: want an event as an object"},
		"the second is none":    {kit.ExitFailed, `[{"emitter":5,"entries":[]},{"emitter":5}]`, `[1]: want an object with "entries"`},
		"an emitter":            {kit.ExitFailed, `{"emitter":"x","entries":[]}`, "[0]: emitter: "},
		"an entry":              {kit.ExitFailed, `{"emitter":5,"entries":[1]}`, "entries[0]: want an object"},
		"hex":                   {kit.ExitFailed, `{"emitter":5,"entries":[{"key":"a","hex":"zz"}]}`, "entries[0]: no hex"},
		"base64":                {kit.ExitFailed, `{"emitter":5,"entries":[{"key":"a","hex":"00"},{"key":"a","value":"*"}]}`, "entries[1]: "},
		"a short topic":         {kit.ExitFailed, `{"topics":["0x12"],"data":"0x"}`, "topics[0]: want 32 bytes in hex"},
		"a number for a topic":  {kit.ExitFailed, `{"topics":[5],"data":"0x"}`, "topics[0]: want 32 bytes in hex"},
		"data":                  {kit.ExitFailed, `{"topics":[],"data":"0xzz"}`, "data: no hex"},
		"a log's address":       {kit.ExitFailed, `{"address":"0x12","topics":[],"data":"0x00"}`, "emitter: "},
		"half of JSON":          {kit.ExitUsage, `{`, "no JSON"},
		"CBOR that is no event": {kit.ExitFailed, "0x81", "no event in CBOR"},
		"CBOR that is cut":      {kit.ExitFailed, "0x820781840365", "no event in CBOR"},
		"an absurd count":       {kit.ExitFailed, "0x82079bffffffffffffffff", "no event in CBOR"},
		"no such ABI":           {kit.ExitFailed, "--abi=none.json", "--abi"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"decode", "event", c.input}
			if strings.HasPrefix(c.input, "--") {
				args = append(args, "0x80")
			}
			edgefvm.Fails(t, c.code, args, c.want)
		})
	}
}

type shownExit struct {
	Code              uint64
	Name, Meaning, By string
}

// The numbers of codes are those of go-state-types, which has them from the specification; the names are ours, the parts are theirs.
func TestExitCodes(t *testing.T) {
	for code, name := range map[exitcode.ExitCode]string{
		exitcode.Ok: "OK", exitcode.SysErrSenderInvalid: "SYS_SENDER_INVALID", exitcode.SysErrSenderStateInvalid: "SYS_SENDER_STATE_INVALID",
		exitcode.SysErrIllegalInstruction: "SYS_ILLEGAL_INSTRUCTION", exitcode.SysErrInvalidReceiver: "SYS_INVALID_RECEIVER", exitcode.SysErrInsufficientFunds: "SYS_INSUFFICIENT_FUNDS",
		exitcode.SysErrOutOfGas: "SYS_OUT_OF_GAS", exitcode.SysErrIllegalExitCode: "SYS_ILLEGAL_EXIT_CODE", exitcode.SysErrFatal: "SYS_ASSERTION_FAILED", exitcode.SysErrMissingReturn: "SYS_MISSING_RETURN",
		exitcode.ErrIllegalArgument: "USR_ILLEGAL_ARGUMENT", exitcode.ErrNotFound: "USR_NOT_FOUND", exitcode.ErrForbidden: "USR_FORBIDDEN", exitcode.ErrInsufficientFunds: "USR_INSUFFICIENT_FUNDS",
		exitcode.ErrIllegalState: "USR_ILLEGAL_STATE", exitcode.ErrSerialization: "USR_SERIALIZATION", exitcode.ErrUnhandledMessage: "USR_UNHANDLED_MESSAGE", exitcode.ErrUnspecified: "USR_UNSPECIFIED",
		exitcode.ErrAssertionFailed: "USR_ASSERTION_FAILED", exitcode.ErrReadOnly: "USR_READ_ONLY", exitcode.ErrNotPayable: "USR_NOT_PAYABLE",
		exitcode.SysErrReserved1: "", exitcode.SysErrReserved2: "", 12: "", 15: "", 27: "", 31: "", 32: "", 4294967295: "",
	} {
		v := clitest.FromJSON[shownExit](t, edgefvm.OK(t, "decode", "exit-code", "--json", fmt.Sprint(int64(code))))
		by := "the system"
		if code >= 16 {
			by = "an actor"
		}
		if code == 0 {
			by = ""
		}
		if v.Code != uint64(code) || v.Name != name || v.Meaning == "" || v.By != by {
			t.Errorf("%d: %+v", code, v)
		}
		text := edgefvm.OK(t, "decode", "exit", fmt.Sprint(int64(code)))
		if !strings.HasPrefix(text, fmt.Sprintf("%d: %s", int64(code), v.Meaning)) || name != "" && !strings.Contains(text, "("+name+")") {
			t.Errorf("%d: %s", code, text)
		}
	}
	// Codes of an actor's own, as builtin-actors defines them, and where they changed.
	for _, c := range []struct{ actor, version, code, name, by string }{
		{"evm", "v18", "33", "EVM_CONTRACT_REVERTED", "evm"}, {"eam", "v18", "33", "EVM_CONTRACT_REVERTED", "eam"}, {"f010", "v10", "34", "EVM_CONTRACT_INVALID_INSTRUCTION", "eam"},
		{"evm", "v18", "35", "EVM_CONTRACT_UNDEFINED_INSTRUCTION", "evm"}, {"evm", "v18", "38", "EVM_CONTRACT_ILLEGAL_MEMORY_ACCESS", "evm"},
		{"market", "v14", "32", "EX_DEAL_EXPIRED", "storagemarket"}, {"f05", "v14", "33", "EX_DEAL_NOT_ACTIVATED", "storagemarket"},
		{"miner", "v13", "1000", "ERR_BALANCE_INVARIANTS_BROKEN", "storageminer"}, {"paych", "v18", "35", "", ""}, {"datacap", "v9", "40", "", ""},
	} {
		v := clitest.FromJSON[shownExit](t, edgefvm.OK(t, "decode", "exit-code", "--json", "--actor", c.actor, "--actors", c.version, c.code))
		if v.Name != c.name || c.by != "" && v.By != c.by || v.Meaning == "" {
			t.Errorf("%s %s of %s: %+v", c.actor, c.code, c.version, v)
		}
	}
	for input, want := range map[string]string{"-1": "no exit code", "4294967296": "up to 2^32-1", "seven": "no exit code", "1.0": "no exit code"} {
		edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "exit-code", "--", input}, want)
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "exit-code", "--actor", "evn", "33"}, "did you mean evm?")
	edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "exit-code", "--actor", "evm", "--actors", "v9", "33"}, `actors v9 have no "evm"`)
	edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "exit-code", "--actor", "evm", "--nv", "99", "33"}, "network version 99")
	edgefvm.Fails(t, kit.ExitUsage, []string{"decode", "exit-code", "--nv", "20", "--actors", "v11", "33"}, "leave one out")
}
