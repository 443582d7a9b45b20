package devnode

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// facts are what the log tells of a transaction that is in a block.
type facts struct {
	Hash     eth.Hash     `json:"hash"`
	Block    uint64       `json:"block"`
	From     eth.Address  `json:"from"`
	To       *eth.Address `json:"to"` // null of a deployment
	Contract *eth.Address `json:"contract_address,omitempty"`
	Value    string       `json:"value"` // in attoFIL
	GasUsed  uint64       `json:"gas_used"`
	GasLimit uint64       `json:"gas_limit"`
	Raised   uint64       `json:"gas_limit_raised,omitempty"` // by --lenient-gas
	ExitCode int64        `json:"exit_code"`
	Failure  string       `json:"failure,omitempty"`
	Console  []string     `json:"console,omitempty"`

	blockHash eth.Hash
	fil       abi.TokenAmount
}

// requestLog prints what clients ask, as Hardhat's own node does, or as JSON, one object a line.
type requestLog struct {
	out    io.Writer
	paint  layout.Painter
	asJSON bool
	live   bool // a terminal, on which repeated lines are counted
	// find tells of a transaction that is in a block; nil: it is not.
	find func(context.Context, eth.Hash) *facts
	// said are the lines that a call's contracts logged, if any.
	said func(jsonrpc.Call) []string

	mu     sync.Mutex
	last   string // the method of the line before, if nothing followed it
	times  int
	failed bool // nobody takes what is printed
	sent   map[eth.Hash]bool
}

func newRequestLog(out io.Writer, asJSON bool) *requestLog {
	return &requestLog{out: out, paint: term.NewPainter(out), asJSON: asJSON, live: term.Is(out)}
}

// entry is a line of the log in JSON.
type entry struct {
	Time        string      `json:"time"` // RFC 3339, UTC
	Method      string      `json:"method"`
	MS          float64     `json:"ms"`
	Remote      string      `json:"remote,omitempty"`
	Error       *entryError `json:"error,omitempty"`
	Transaction *facts      `json:"transaction,omitempty"`
	Console     []string    `json:"console,omitempty"`
}

type entryError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// call logs a call.
func (l *requestLog) call(c jsonrpc.Call) {
	var tx *facts
	if h, ok := hashOf(c.Result); ok && c.Err == nil && sends(c.Method) && l.find != nil {
		if tx = l.find(context.Background(), h); tx != nil {
			l.tell(h)
		}
	}
	var lines []string
	if tx == nil && l.said != nil {
		lines = l.said(c)
	}
	if l.asJSON {
		l.writeJSON(c, tx, lines)
		return
	}
	l.write(c, tx, lines)
}

func hashOf(result any) (eth.Hash, bool) {
	h, ok := result.(eth.Hash)
	return h, ok
}

// sends tells whether a method's result is the hash of a transaction.
func sends(method string) bool {
	switch method {
	case "eth_sendTransaction", "eth_sendRawTransaction", "eth_sendUnsignedTransaction":
		return true
	}
	return false
}

func (l *requestLog) writeJSON(c jsonrpc.Call, tx *facts, lines []string) {
	e := entry{
		Time: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), Method: c.Method, MS: float64(c.Duration.Microseconds()) / 1000, Remote: c.Peer.Remote,
		Transaction: tx, Console: lines,
	}
	if c.Err != nil {
		e.Error = errorOf(c.Err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.print(string(b) + "\n")
}

// errorOf is what a client sees of an error.
func errorOf(err error) *entryError {
	e := &entryError{Code: jsonrpc.CodeServer, Message: err.Error()}
	if c, ok := err.(interface{ ErrorCode() int }); ok {
		e.Code = c.ErrorCode()
	}
	return e
}

func (l *requestLog) write(c jsonrpc.Call, tx *facts, lines []string) {
	var b strings.Builder
	if tx != nil {
		tx.text(&b, l.paint)
	}
	console(&b, l.paint, lines)
	if c.Err != nil {
		e := errorOf(c.Err)
		fmt.Fprintf(&b, "  %s %s\n", l.paint.Red(fmt.Sprintf("Error %d:", e.Code)), layout.OneLine(layout.Cut(e.Message, 500)))
	}
	method := layout.OneLine(layout.Cut(c.Method, 100))
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.Len() == 0 && l.last == method && l.live {
		l.times++
		l.print(fmt.Sprintf("\x1b[1A\x1b[2K%s (%d)\n", method, l.times)) // over the line before
		return
	}
	l.last, l.times = method, 1
	head := method
	if c.Err != nil {
		head = l.paint.Red(method)
	} else if tx != nil {
		head = l.paint.Bold(method)
	}
	text := head + "\n" + b.String()
	if b.Len() > 0 {
		l.last = ""
		text += "\n"
	}
	l.print(text)
}

// text is a transaction for people.
func (f *facts) text(b *strings.Builder, p layout.Painter) {
	line := func(name, value string) {
		fmt.Fprintf(b, "  %s %s\n", layout.PadRight(name+":", 20), value)
	}
	if f.To == nil {
		line("Contract deployment", orNone(f.Contract))
	} else {
		line("To", f.To.String())
	}
	line("Transaction", f.Hash.String())
	line("From", f.From.String())
	if f.Value != "0" {
		line("Value", layout.FIL(f.fil))
	}
	gas := layout.Grouped(f.GasUsed) + " of " + layout.Grouped(f.GasLimit)
	if f.Raised > 0 {
		gas += fmt.Sprintf(", raised to %s by --lenient-gas", layout.Grouped(f.Raised))
	}
	line("Gas used", gas)
	line(fmt.Sprintf("Block #%d", f.Block), f.blockHash.String())
	if f.ExitCode != 0 {
		line(p.Red("Failed"), fmt.Sprintf("exit %d: %s", f.ExitCode, layout.OneLine(layout.Cut(f.Failure, 500))))
	}
	console(b, p, f.Console)
}

func orNone(a *eth.Address) string {
	if a == nil {
		return "none was made"
	}
	return a.String()
}

// console prints lines of console.log as Hardhat does.
func console(b *strings.Builder, p layout.Painter, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n  %s\n", p.Cyan("console.log:"))
	for _, line := range lines {
		for _, part := range strings.Split(layout.Clean(line), "\n") {
			fmt.Fprintf(b, "    %s\n", part)
		}
	}
}

// mined logs a transaction that came into a block by no call of its sender.
func (l *requestLog) mined(f *facts) {
	if l.asJSON {
		l.writeJSON(jsonrpc.Call{Method: "mined"}, f, nil)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", l.paint.Bold("Mined"))
	f.text(&b, l.paint)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = ""
	l.print(b.String() + "\n")
}

// print writes; a log that nobody takes any more says nothing further.
func (l *requestLog) print(s string) {
	if !l.failed {
		_, err := io.WriteString(l.out, s)
		l.failed = err != nil
	}
}

// handler takes what the node and its server have to say into the same output.
func (l *requestLog) handler(least slog.Level) slog.Handler {
	o := &slog.HandlerOptions{Level: least}
	w := lineWriter{l}
	if l.asJSON {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

// lineWriter is a writer between the lines of the log.
type lineWriter struct{ log *requestLog }

func (w lineWriter) Write(p []byte) (int, error) {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	w.log.last = ""
	w.log.print(string(p))
	return len(p), nil
}
