package vector

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/trace"
)

// Draft is a vector in the making. Add what happened, then Save it.
type Draft struct {
	file   vectorFile
	traces []trace.Events
	other  []trace.Events
	mixed  struct{ valid, invalid bool }
}

// EngineDifference is what a vector says of two engines that differed on it.
type EngineDifference struct {
	Primary string `json:"primary"` // the engine that the other was compared with
	Engine  string `json:"engine"`  // the one that differed
	// Agreed are engines that gave what the primary gave.
	Agreed []string `json:"agreed,omitempty"`
	// Differences say what the primary gave (want) and what the engine gave (got).
	Differences []Difference `json:"differences"`
	// Expected is the engine whose receipts the vector expects: the primary, unless it had none.
	Expected string `json:"expected"`
	// Again says what came when all of them ran the message anew.
	Again string `json:"again"`
	// Trace is the file beside the vector with the trace of the other of the two; the vector's own is of the expected one.
	Trace string `json:"trace"`
}

// EngineDifference is nil for a vector that is no bundle of package shadow.
func (v *Vector) EngineDifference() *EngineDifference { return v.file.Meta.Difference }

// NewDraft begins a vector in the setting of cfg, of which engine, store, externs and hooks do not count. bundle names
// the actors' code that the blocks will lack, or is NoBundle.
func NewDraft(cfg fvm.Config, bundle, comment string) *Draft {
	amount := func(v abi.TokenAmount) json.Number {
		if v.Int == nil {
			return "0"
		}
		return json.Number(v.String())
	}
	f := vectorFile{Class: "message", Meta: meta{Comment: comment}}
	f.Preconditions = preconditions{
		Variants: []Variant{{
			ID: fmt.Sprintf("nv%d", cfg.NetworkVersion), Epoch: cfg.Epoch, NV: cfg.NetworkVersion, Timestamp: &cfg.Timestamp,
		}},
		StateTree: stateTree{cfg.StateRoot}, BaseFee: amount(cfg.BaseFee), CircSupply: amount(cfg.CircSupply),
		ChainID: cfg.ChainID, Proofs: string(ProofsValid), Bundle: bundle, Debugging: cfg.ActorDebugging,
	}
	if free, ok := cfg.Proofs.(externs.FreeBatch); ok && free.BatchVerifySealsIsFree() {
		f.Preconditions.Proofs = string(ProofsUpstream)
	}
	return &Draft{file: f}
}

// Message adds a message with what it must give: res nil is no receipt.
func (d *Draft) Message(msg *fvm.Message, kind fvm.Kind, chainLength int, res *fvm.Result) error {
	var buf bytes.Buffer
	if err := msg.MarshalCBOR(&buf); err != nil {
		return err
	}
	d.file.Messages = append(d.file.Messages, Message{Bytes: buf.Bytes(), Implicit: kind == fvm.Implicit, ChainLen: &chainLength})
	d.file.Post.Receipts = append(d.file.Post.Receipts, receiptOf(res))
	return nil
}

// Raw adds a message in its CBOR form, which need not decode, with what it must give: res nil is no receipt.
func (d *Draft) Raw(m Message, res *fvm.Result) {
	d.file.Messages = append(d.file.Messages, m)
	d.file.Post.Receipts = append(d.file.Post.Receipts, receiptOf(res))
}

// Facts sets what the world outside answers, and how proofs are judged.
func (d *Draft) Facts(f Facts, proofs Proofs) {
	d.file.Facts, d.file.Preconditions.Proofs = f, string(proofs)
}

func receiptOf(r *fvm.Result) Receipt {
	if r == nil {
		return Receipt{Return: []byte{}, Error: true}
	}
	text := func(v abi.TokenAmount) *string {
		s := "0"
		if v.Int != nil {
			s = v.String()
		}
		return &s
	}
	exit, root := int64(r.ExitCode), json.RawMessage("null")
	if r.EventsRoot != nil {
		root = json.RawMessage(fmt.Sprintf(`{"/":%q}`, r.EventsRoot))
	}
	return Receipt{
		ExitCode: &exit, Return: append([]byte{}, r.Return...), GasUsed: &r.GasUsed, EventsRoot: root,
		Penalty: text(r.Penalty), MinerTip: text(r.MinerTip), BaseFeeBurn: text(r.BaseFeeBurn), OverEstimationBurn: text(r.OverEstimationBurn),
		Refund: text(r.Refund), GasRefund: &r.GasRefund, GasBurned: &r.GasBurned,
	}
}

// Randomness adds an answer of the chain, or of the beacon.
func (d *Draft) Randomness(ofBeacon bool, round abi.ChainEpoch, value [32]byte, err error) {
	d.file.Randomness = append(d.file.Randomness, Randomness{On: Round{ofBeacon, round}, Ret: value[:], Error: errorText(err)})
}

// Tipset adds the tipset key of an epoch. One that could not be had is left out: no message survives that.
func (d *Draft) Tipset(epoch abi.ChainEpoch, c cid.Cid, err error) {
	if err == nil {
		d.file.Tipsets = append(d.file.Tipsets, Tipset{epoch, c.String()})
	}
}

// Fault adds a verdict on two headers; f nil and no error is no fault.
func (d *Draft) Fault(h1, h2, extra []byte, f *externs.ConsensusFault, err error) {
	x := Fault{H1: h1, H2: h2, Extra: extra, Error: errorText(err)}
	switch {
	case f != nil:
		x.Target, x.Epoch, x.Type = f.Target, f.Epoch, f.Type
	case err == nil:
		return // as a vector has it, what is not listed is no fault
	}
	d.file.Faults = append(d.file.Faults, x)
}

// Proof adds a verdict on the proof that ProofKey calls key.
func (d *Draft) Proof(key string, valid bool, err error) {
	d.mixed.valid = d.mixed.valid || valid || err != nil
	d.mixed.invalid = d.mixed.invalid || !valid || err != nil
	d.file.ProofAnswers = append(d.file.ProofAnswers, proofAnswer{Key: key, Valid: valid, Error: errorText(err)})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Traces adds what the messages charged and called: expected is compared when the vector runs; other, if there is
// one, is kept beside it with the difference that it is of.
func (d *Draft) Traces(expected, other []trace.Events, diff *EngineDifference) {
	d.traces, d.other, d.file.Meta.Difference = expected, other, diff
}

// Save writes the vector and its traces into dir, with the blocks that it needs beside its bundle, and returns the
// vector's path. The name is made from the content.
func (d *Draft) Save(dir string, post cid.Cid, bs []blocks.Block) (string, error) {
	f, err := d.finish(post, bs)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(&f)
	if err != nil {
		return "", fmt.Errorf("a vector: %w", err)
	}
	traces, err := json.Marshal([][]trace.Events{d.traces, d.other})
	if err != nil {
		return "", fmt.Errorf("a vector's traces: %w", err)
	}
	sum := sha256.Sum256(append(text, traces...))
	path := filepath.Join(dir, fmt.Sprintf("%s-difference-%x.json", f.Preconditions.Variants[0].ID, sum[:8]))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("a vector's folder: %w", err)
	}
	return path, d.write(path, &f)
}

// SaveAs is Save into a file of the caller's choice, NAME.json; the traces lie beside it as NAME.trace.gz.
func (d *Draft) SaveAs(path string, post cid.Cid, bs []blocks.Block) error {
	if filepath.Ext(path) != ".json" {
		return fmt.Errorf("the vector %s: want a name that ends in .json", path)
	}
	f, err := d.finish(post, bs)
	if err != nil {
		return err
	}
	return d.write(path, &f)
}

// finish is the file without what its name decides.
func (d *Draft) finish(post cid.Cid, bs []blocks.Block) (f vectorFile, err error) {
	f = d.file
	f.Post.StateTree.Root = post
	if !d.mixed.valid && d.mixed.invalid && f.Preconditions.Proofs == string(ProofsValid) {
		f.Preconditions.Proofs = string(ProofsInvalid)
	}
	if !d.mixed.invalid || f.Preconditions.Proofs == string(ProofsInvalid) {
		f.ProofAnswers = nil // the mode says it all
	}
	f.CAR, err = packCAR([]cid.Cid{f.Preconditions.StateTree.Root, post}, bs)
	return f, err
}

// write writes the file and the traces beside it. The vector comes last: one that is there is whole.
func (d *Draft) write(path string, f *vectorFile) error {
	base := strings.TrimSuffix(path, ".json")
	f.Meta.ID = filepath.Base(base)
	if d.traces != nil {
		f.Trace = f.Meta.ID + ".trace.gz"
		if err := writeTraces(base+".trace.gz", d.traces); err != nil {
			return err
		}
	}
	if f.Meta.Difference != nil {
		diff := *f.Meta.Difference
		f.Meta.Difference = &diff
		diff.Trace = f.Meta.ID + ".other.trace.gz"
		if err := writeTraces(base+".other.trace.gz", d.other); err != nil {
			return err
		}
	}
	return writeFile(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(f)
	})
}

func packCAR(roots []cid.Cid, bs []blocks.Block) ([]byte, error) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	err := blockstore.WriteCAR(z, roots, func(yield func(blocks.Block, error) bool) {
		for _, b := range bs {
			if !yield(b, nil) {
				return
			}
		}
	})
	if err := errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("a vector's state: %w", err)
	}
	return buf.Bytes(), nil
}

func writeTraces(path string, list []trace.Events) error {
	return writeFile(path, func(w io.Writer) error {
		z := gzip.NewWriter(w)
		return errors.Join(json.NewEncoder(z).Encode(list), z.Close())
	})
}

func writeFile(path string, write func(io.Writer) error) error {
	if err := wholefile.Write(path, write); err != nil {
		return fmt.Errorf("writing the vector %s: %w", path, err)
	}
	return nil
}
