package oracle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/packing"
)

// Client is a running oracle. It belongs to one goroutine at a time.
type Client struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	// broken: the process or its pipes failed. Each further question fails.
	broken error
}

// Error is an answer of the oracle that says what is wrong with a question, or that the reference panicked over it.
type Error struct{ Text string }

func (e *Error) Error() string { return "the reference: " + e.Text }

// Panicked tells whether the reference's own code gave way. It may have left locks poisoned: the process is not to be used any more.
func (e *Error) Panicked() bool { return strings.Contains(strings.ToLower(e.Text), "panic") }

// ErrGone is a process that ended, or that was ended because a context did.
var ErrGone = errors.New("the reference ended")

// Start starts the program. It ends with ctx, or by Close.
func Start(ctx context.Context, program string) (*Client, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("the oracle: %w", err)
	}
	c := &Client{cmd: exec.CommandContext(ctx, path)}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("the oracle: %w", err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("the oracle: %w", err)
	}
	c.out = bufio.NewReaderSize(out, 1<<20)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("the oracle: %w", err)
	}
	return c, nil
}

// Close ends the process. It is safe on a client whose process is gone.
func (c *Client) Close() {
	_ = c.in.Close()
	if c.broken != nil {
		_ = c.cmd.Process.Kill()
	}
	_ = c.cmd.Wait()
}

// ask sends a request and reads its answer. If ctx ends first, the process is ended.
func (c *Client) ask(ctx context.Context, op string, fields, answer any) error {
	if c.broken != nil {
		return c.broken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	line, err := request(op, fields)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	defer stop()
	if _, err := c.in.Write(line); err != nil {
		return c.lost(ctx, err)
	}
	got, err := c.out.ReadBytes('\n')
	if err != nil {
		return c.lost(ctx, err)
	}
	return decode(got, answer)
}

func (c *Client) lost(ctx context.Context, err error) error {
	c.broken = fmt.Errorf("%w: %w", ErrGone, err)
	if e := ctx.Err(); e != nil {
		return e
	}
	return c.broken
}

// request is a line: the fields, and op as one more.
func request(op string, fields any) ([]byte, error) {
	line := fmt.Appendf(nil, `{"op":%q`, op)
	if fields != nil {
		rest, err := json.Marshal(fields)
		if err != nil {
			return nil, fmt.Errorf("a question for the reference: %w", err)
		}
		if len(rest) > 2 {
			line = append(append(line, ','), rest[1:]...)
			return append(line, '\n'), nil
		}
	}
	return append(line, '}', '\n'), nil
}

func decode(line []byte, answer any) error {
	// An answer that is an error has nothing else in it.
	if len(line) >= 9 && string(line[:9]) == `{"error":` {
		var e struct{ Error string }
		if err := json.Unmarshal(line, &e); err == nil && e.Error != "" {
			return &Error{e.Error}
		}
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(line, answer); err != nil {
		return fmt.Errorf("the reference's answer: %w", err)
	}
	return nil
}

// Block is a block for the oracle's store.
type Block struct {
	CID  cid.Cid
	Data []byte
}

// MarshalJSON writes the CID as text.
func (b Block) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		CID  string `json:"cid"`
		Data []byte `json:"data"`
	}{b.CID.String(), b.Data})
}

// UnmarshalJSON reads it.
func (b *Block) UnmarshalJSON(data []byte) error {
	var x struct {
		CID  string
		Data []byte
	}
	if err := json.Unmarshal(data, &x); err != nil {
		return err
	}
	c, err := cid.Decode(x.CID)
	b.CID, b.Data = c, x.Data
	return err
}

// LoadCAR adds the blocks of a CAR and returns how many there were. The program reads version 1, plain or gzip; other forms are
// made into that here, in memory.
func (c *Client) LoadCAR(ctx context.Context, path string) (int, error) {
	if data, n, err := plainCAR(ctx, path); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	} else if data != nil {
		return n, c.LoadCARData(ctx, data)
	}
	var answer struct{ Blocks int }
	err := c.ask(ctx, "load_car", map[string]any{"path": path}, &answer)
	return answer.Blocks, err
}

// plainCAR makes an archive that the program cannot read into one that it can. It is nil if there is no need.
func plainCAR(ctx context.Context, path string) (data []byte, count int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, nil //nolint:nilerr // the program says so
	}
	defer f.Close()
	const pragma = "\x0a\xa1\x67version\x02" // of version 2
	head := make([]byte, len(pragma))
	n, _ := io.ReadFull(f, head)
	if kind := packing.KindOf(head[:n]); string(head) != pragma && kind != packing.Zstd {
		return nil, 0, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, 0, err
	}
	store := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(ctx, f, store, blockstore.CAROptions{})
	if err != nil {
		return nil, 0, err
	}
	var out bytes.Buffer
	err = blockstore.WriteCAR(&out, roots, func(yield func(blocks.Block, error) bool) {
		for _, k := range store.Keys() {
			if !yield(store.Get(ctx, k)) {
				return
			}
		}
	})
	return out.Bytes(), store.Len(), err
}

// LoadCARData is LoadCAR of a file in memory.
func (c *Client) LoadCARData(ctx context.Context, data []byte) error {
	return c.ask(ctx, "load_car", map[string]any{"data": data}, nil)
}

// Push lays an empty store over what is there; Pop throws away what came since.
func (c *Client) Push(ctx context.Context) error { return c.ask(ctx, "push", nil, nil) }

// Pop undoes the last Push.
func (c *Client) Pop(ctx context.Context) error { return c.ask(ctx, "pop", nil, nil) }

// Apply runs the messages of a request.
func (c *Client) Apply(ctx context.Context, r *Request) (*Answer, error) {
	var answer Answer
	if err := c.ask(ctx, "apply", r, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// Run is what a message gave with one gas limit: an answer, or an error if the reference broke down over it.
type Run struct {
	Answer
	Error string `json:"error"`
}

// Limits runs the one message of a request once for each gas limit, on the same state. A run that broke down is the last one.
func (c *Client) Limits(ctx context.Context, r *Request, limits []int64) ([]Run, error) {
	var answer struct{ Runs []Run }
	q := struct {
		*Request
		Limits []int64 `json:"limits"`
	}{r, limits}
	if err := c.ask(ctx, "limits", q, &answer); err != nil {
		return nil, err
	}
	return answer.Runs, nil
}

// Vector runs a variant of a vector file, above the store and without a trace.
func (c *Client) Vector(ctx context.Context, path string, variant int) (*Answer, error) {
	var answer Answer
	if err := c.ask(ctx, "vector", map[string]any{"path": path, "variant": variant}, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}
