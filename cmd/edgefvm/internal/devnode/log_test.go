package devnode

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	gstbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// sent is a transaction of 1.5 FIL, as it was logged.
func sent() *facts {
	to := eth.Address{19: 0xaa}
	value, _ := new(big.Int).SetString("1500000000000000000", 10)
	return &facts{
		Hash: eth.Hash{31: 1}, Block: 7, From: eth.Address{19: 0xbb}, To: &to, Value: value.String(), fil: gstbig.NewFromGo(value), GasUsed: 1837401, GasLimit: 2000000, blockHash: eth.Hash{31: 2},
	}
}

const zeros30 = "000000000000000000000000000000000000000000000000000000000000"

// The log for people has a line for each request, below it what came of a transaction.
func TestLogText(t *testing.T) {
	deployed := sent()
	deployed.To, deployed.Contract, deployed.Value = nil, &eth.Address{19: 0xcc}, "0"
	failed := sent()
	failed.ExitCode, failed.Failure, failed.Raised = 33, "execution reverted: no\nluck\x1b[2J", 3000000
	failed.Console = []string{"a", "b\nc"}
	nothing := sent()
	nothing.To, nothing.Value = nil, "0"
	for _, c := range []struct {
		name  string
		call  jsonrpc.Call
		tx    *facts
		lines []string
		want  []string
		none  []string
	}{
		{"a question", jsonrpc.Call{Method: "eth_chainId"}, nil, nil, []string{"eth_chainId\n"}, []string{":"}},
		{"a transfer", jsonrpc.Call{Method: "eth_sendTransaction"}, sent(), nil, []string{
			"eth_sendTransaction\n", "To:", "0x00000000000000000000000000000000000000aa\n", "From:", "0x00000000000000000000000000000000000000bb\n",
			"Transaction:", "0x" + zeros30 + "0001\n", "Value:", "1.5 FIL\n", "Gas used:", "1,837,401 of 2,000,000\n", "Block #7:", "0x" + zeros30 + "0002\n",
		}, []string{"Failed", "console.log", "Contract", "lenient"}},
		{"a deployment", jsonrpc.Call{Method: "eth_sendRawTransaction"}, deployed, nil, []string{"Contract deployment:", "0x00000000000000000000000000000000000000cc\n"}, []string{"To:", "Value:"}},
		{"a deployment of nothing", jsonrpc.Call{Method: "eth_sendRawTransaction"}, nothing, nil, []string{"Contract deployment:", "none was made\n"}, nil},
		{"a failure", jsonrpc.Call{Method: "eth_sendTransaction"}, failed, nil, []string{
			"Failed:", `exit 33: execution reverted: no\nluck`, "raised to 3,000,000 by --lenient-gas", "console.log:\n    a\n    b\n    c\n",
		}, []string{"\x1b"}},
		{"a call that logs", jsonrpc.Call{Method: "eth_call"}, nil, []string{"42", "x\x1b[31my"}, []string{"eth_call\n", "console.log:\n    42\n"}, []string{"\x1b"}},
		{"an error", jsonrpc.Call{Method: "eth_nope", Err: &jsonrpc.Error{Code: -32601, Message: "no such\nmethod"}}, nil, nil, []string{"eth_nope\n", `Error -32601: no such\nmethod`}, nil},
		{"an error without a code", jsonrpc.Call{Method: "eth_call", Err: errors.New("out of luck")}, nil, nil, []string{"Error " + fmt.Sprint(jsonrpc.CodeServer) + ": out of luck\n"}, nil},
		{"a long error", jsonrpc.Call{Method: strings.Repeat("m", 5000), Err: errors.New(strings.Repeat("e", 5000))}, nil, nil, []string{"mmmm"}, []string{strings.Repeat("e", 501), strings.Repeat("m", 101)}},
		{"a method with control characters", jsonrpc.Call{Method: "eth_\x1b[2Jcall\n"}, nil, nil, []string{"eth_"}, []string{"\x1b", "\n\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			newRequestLog(&out, false).write(c.call, c.tx, c.lines)
			for _, w := range c.want {
				if !strings.Contains(out.String(), w) {
					t.Errorf("it lacks %q:\n%s", w, out.String())
				}
			}
			for _, w := range c.none {
				if strings.Contains(out.String(), w) {
					t.Errorf("it has %q:\n%s", w, out.String())
				}
			}
		})
	}
}

// On a terminal a request that comes again is counted on its line; whatever stands between ends that.
func TestLogCounts(t *testing.T) {
	var out bytes.Buffer
	l := newRequestLog(&out, false)
	l.live = true
	for range 3 {
		l.write(jsonrpc.Call{Method: "eth_blockNumber"}, nil, nil)
	}
	const up = "\x1b[1A\x1b[2K"
	if got, want := out.String(), "eth_blockNumber\n"+up+"eth_blockNumber (2)\n"+up+"eth_blockNumber (3)\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for name, between := range map[string]func(){
		"another method":   func() { l.write(jsonrpc.Call{Method: "eth_chainId"}, nil, nil) },
		"an error":         func() { l.write(jsonrpc.Call{Method: "eth_blockNumber", Err: errors.New("x")}, nil, nil) },
		"a transaction":    func() { l.write(jsonrpc.Call{Method: "eth_sendTransaction"}, sent(), nil) },
		"one that is late": func() { l.mined(sent()) },
		"a warning":        func() { slog.New(l.handler(slog.LevelWarn)).Warn("look") },
	} {
		l.write(jsonrpc.Call{Method: "eth_blockNumber"}, nil, nil)
		between()
		out.Reset()
		l.write(jsonrpc.Call{Method: "eth_blockNumber"}, nil, nil)
		if out.String() != "eth_blockNumber\n" {
			t.Errorf("after %s: %q", name, out.String())
		}
	}
	// Elsewhere each has a line of its own.
	out.Reset()
	l = newRequestLog(&out, false)
	l.write(jsonrpc.Call{Method: "eth_blockNumber"}, nil, nil)
	l.write(jsonrpc.Call{Method: "eth_blockNumber"}, nil, nil)
	if out.String() != "eth_blockNumber\neth_blockNumber\n" {
		t.Errorf("%q", out.String())
	}
}

// With --json-log each line is an object with the keys that the command's README names.
func TestLogJSON(t *testing.T) {
	_, documented, _ := strings.Cut(string(clitest.ReadFrom(t, "../../README.md")), "## Lines of `dev --json-log`")
	documented, _, _ = strings.Cut(documented, "\n## ")
	check := func(v map[string]any) {
		t.Helper()
		for k, below := range v {
			if !strings.Contains(documented, "`"+k+"`") {
				t.Errorf("the key %q is not documented", k)
			}
			if o, ok := below.(map[string]any); ok {
				for k := range o {
					if !strings.Contains(documented, "`"+k+"`") {
						t.Errorf("the key %q is not documented", k)
					}
				}
			}
		}
	}
	var out bytes.Buffer
	l := newRequestLog(&out, true)
	failed := sent()
	failed.ExitCode, failed.Failure, failed.Raised, failed.Console, failed.Contract = 33, "no", 5, []string{"a"}, &eth.Address{1}
	l.writeJSON(jsonrpc.Call{Method: "eth_sendTransaction", Peer: jsonrpc.Peer{Remote: "127.0.0.1:5"}, Duration: 1500 * time.Microsecond}, failed, nil)
	l.mined(sent())
	l.writeJSON(jsonrpc.Call{Method: "eth_call", Err: &jsonrpc.Error{Code: 3, Message: "reverted"}}, nil, []string{"x"})
	slog.New(l.handler(slog.LevelWarn)).Warn("look")
	slog.New(l.handler(slog.LevelWarn)).Info("no")
	l.call(jsonrpc.Call{Method: "eth_chainId"})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	var objects []map[string]any
	for _, line := range lines {
		v := clitest.FromJSON[map[string]any](t, line)
		check(v)
		objects = append(objects, v)
	}
	first, tx := objects[0], objects[0]["transaction"].(map[string]any)
	if first["ms"] != 1.5 || first["remote"] != "127.0.0.1:5" || first["error"] != nil || tx["gas_limit_raised"] != 5.0 || tx["exit_code"] != 33.0 || tx["failure"] != "no" || tx["value"] != "1500000000000000000" || tx["block"] != 7.0 {
		t.Errorf("%s", lines[0])
	}
	if at, err := time.Parse(time.RFC3339, first["time"].(string)); err != nil || time.Since(at).Abs() > time.Hour || !strings.HasSuffix(first["time"].(string), "Z") {
		t.Errorf("time %v, %v", first["time"], err)
	}
	if objects[1]["method"] != "mined" || objects[1]["transaction"] == nil {
		t.Errorf("%s", lines[1])
	}
	if e := objects[2]["error"].(map[string]any); e["code"] != 3.0 || e["message"] != "reverted" || fmt.Sprint(objects[2]["console"]) != "[x]" {
		t.Errorf("%s", lines[2])
	}
	if objects[3]["level"] != "WARN" || objects[3]["msg"] != "look" {
		t.Errorf("%s", lines[3])
	}
	if keys := objects[4]; keys["transaction"] != nil || keys["error"] != nil || keys["method"] != "eth_chainId" {
		t.Errorf("%s", lines[4])
	}
}

// A log that nobody takes is given up.
type broken struct{ n int }

func (b *broken) Write([]byte) (int, error) {
	b.n++
	return 0, errors.New("no reader")
}

func TestLogWithoutReader(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var w broken
		l := newRequestLog(&w, asJSON)
		for range 5 {
			l.call(jsonrpc.Call{Method: "eth_chainId"})
		}
		l.writeStart(started{Event: "started"})
		if w.n != 1 {
			t.Errorf("as JSON %v: %d writes", asJSON, w.n)
		}
	}
}

// A transaction is logged by the call that sent it, once.
func TestToldOnce(t *testing.T) {
	l := newRequestLog(&bytes.Buffer{}, false)
	a, b := eth.Hash{1}, eth.Hash{2}
	l.tell(a)
	if l.told(b) || !l.told(a) || l.told(a) {
		t.Error("what was told is not remembered, or not forgotten")
	}
	for _, c := range []struct {
		method string
		result any
		want   bool
	}{{"eth_sendRawTransaction", a, true}, {"eth_sendTransaction", a, true}, {"eth_sendUnsignedTransaction", a, true}, {"eth_call", a, false}, {"eth_sendTransaction", "0x01", false}} {
		if _, ok := hashOf(c.result); (ok && sends(c.method)) != c.want {
			t.Errorf("%s with %v", c.method, c.result)
		}
	}
}

// Addresses with EIP-55's checksum, by its own examples.
func TestChecksummed(t *testing.T) {
	for _, want := range []string{
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
		"0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77",
	} {
		var a [20]byte
		if _, err := fmt.Sscanf(strings.ToLower(want), "0x%x", (*hexBytes)(&a)); err != nil {
			t.Fatal(err)
		}
		if got := checksummed(a); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// hexBytes scan as hex digits.
type hexBytes [20]byte

func (b *hexBytes) Scan(s fmt.ScanState, verb rune) error {
	digits, err := s.Token(true, nil)
	if err != nil {
		return err
	}
	for i := range b {
		if _, err := fmt.Sscanf(string(digits[2*i:2*i+2]), "%02x", &b[i]); err != nil {
			return err
		}
	}
	return nil
}

func TestJoined(t *testing.T) {
	list := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	for n, want := range map[int]string{0: "", 1: "a", 3: "a, b, c", 10: "a, b, c, d, e, f, g, h, i, j", 12: "a, b, c, d, e, f, g, h, i, j and 2 more"} {
		if got := joined(list[:n]); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// What is wrong with a port is told, and what is right passes.
func TestCheck(t *testing.T) {
	good := flags{port: 8545, epochTime: 30, chainID: 31415926, timeJumps: "auto"}
	for name, c := range map[string]struct {
		change func(*flags)
		want   string // "": it is right
	}{
		"as it is":            {func(*flags) {}, ""},
		"a block a second":    {func(x *flags) { x.blockTime = "1" }, ""},
		"a block in time":     {func(x *flags) { x.blockTime = "1500ms" }, ""},
		"a block too soon":    {func(x *flags) { x.blockTime = "1ms" }, "--block-time 1ms: want a time of 10ms or more"},
		"a block never":       {func(x *flags) { x.blockTime = "-2s" }, "--block-time -2s"},
		"a block at no time":  {func(x *flags) { x.blockTime = "soon" }, "--block-time soon"},
		"no port":             {func(x *flags) { x.port = -1 }, "--port -1 is no port"},
		"any port":            {func(x *flags) { x.port = 0 }, ""},
		"accounts below none": {func(x *flags) { x.accounts = -1 }, "--accounts -1"},
		"miners below none":   {func(x *flags) { x.miners = -1 }, "--miners -1"},
		"an epoch of no time": {func(x *flags) { x.epochTime = 0 }, "--epoch-time 0"},
		"before 1970":         {func(x *flags) { x.timestamp = -1 }, "--timestamp -1"},
		"an id too large":     {func(x *flags) { x.chainID = 1 << 53 }, "--chain-id 9007199254740992: want 1 to 2^53-1"},
		"a jump to nowhere":   {func(x *flags) { x.timeJumps = "far" }, `--time-jumps: "far"`},
		"the largest id":      {func(x *flags) { x.chainID = 1<<53 - 1 }, ""},
		"silent and a log":    {func(x *flags) { x.silent, x.jsonLog = true, true }, "--silent and --json-log"},
		"both ways of blocks": {func(x *flags) { x.blockTime, x.noMining = "2", true }, "--block-time and --no-mining"},
	} {
		x := good
		c.change(&x)
		err := x.check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	x := good
	if x.blockTime = "2"; x.check() != nil || x.every != 2*time.Second {
		t.Errorf("--block-time 2 is %s", x.every)
	}
	for amount, want := range map[string]string{"7.5": "7.5fil", "10000": "10000fil", "3nanofil": "3nanofil", "1 FIL": "1 FIL"} {
		if got := inFIL(amount); got != want {
			t.Errorf("%s is read as %s", amount, got)
		}
	}
	for name, err := range map[string]error{
		"--host x is no address": &net.DNSError{Err: "no such host"}, "port 8545 is taken": errors.New("listen tcp: bind: address already in use"), "permission": errors.New("permission denied"),
	} {
		if got := listenError(&flags{host: "x", port: 8545}, err); !strings.HasPrefix(got.Error(), name) {
			t.Errorf("%q: %v", name, got)
		}
	}
}
