package conformance

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/oracle"
)

// Request asks the oracle for what a variant of the vector gives. The oracle's store must hold the blocks of CAR and the
// actors' code. A vector with answers that the oracle cannot give is an error.
func (v *Vector) Request(variant int) (*oracle.Request, error) {
	if variant < 0 || variant >= len(v.Variants()) {
		return nil, fmt.Errorf("vector %s has no variant %d", v.Name, variant)
	}
	baseFee, err := v.baseFee()
	if err != nil {
		return nil, err
	}
	supply, err := v.circSupply()
	if err != nil {
		return nil, err
	}
	proofs, err := v.Proofs()
	if err != nil {
		return nil, err
	}
	if len(v.file.ProofAnswers) > 0 || v.file.Preconditions.Debugging {
		return nil, fmt.Errorf("vector %s: the reference cannot judge single proofs, nor let actors log", v.Name)
	}
	va := v.Variants()[variant]
	r := &oracle.Request{
		NV: va.NV, Epoch: va.Epoch, Timestamp: va.timestamp(), ChainID: v.file.Preconditions.ChainID,
		BaseFee: baseFee.String(), CircSupply: supply.String(), Root: v.PreRoot().String(), Proofs: string(proofs),
	}
	for _, m := range v.file.Messages {
		r.Messages = append(r.Messages, oracle.Message{Bytes: m.Bytes, Implicit: m.Implicit, ChainLen: m.ChainLen})
	}
	if err := v.file.ask(r); err != nil {
		return nil, fmt.Errorf("vector %s: %w", v.Name, err)
	}
	return r, nil
}

// ask adds what the chain answers to a request.
func (f *vectorFile) ask(r *oracle.Request) error {
	for _, x := range f.Randomness {
		if x.Error != "" {
			return errors.New("the reference has no failing randomness")
		}
		r.Randomness = append(r.Randomness, oracle.Randomness{On: oracle.Round{Beacon: x.On.kind == beacon, Epoch: x.On.epoch}, Ret: x.Ret})
	}
	for _, x := range f.Tipsets {
		r.Tipsets = append(r.Tipsets, oracle.Tipset{Epoch: x.Epoch, CID: x.CID})
	}
	for _, x := range f.Faults {
		if x.Error != "" {
			return errors.New("the reference has no failing faults")
		}
		// An empty list, not null: the oracle wants bytes.
		r.Faults = append(r.Faults, oracle.Fault{H1: some(x.H1), H2: some(x.H2), Extra: some(x.Extra), Target: x.Target, Epoch: x.Epoch, Type: x.Type})
	}
	return nil
}

func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// CAR is the vector's state, a CARv1 file, plain or packed by gzip.
func (v *Vector) CAR() []byte { return v.file.CAR }

// answersOf are a request's answers as a vector file has them.
func answersOf(r *oracle.Request) *vectorFile {
	f := &vectorFile{}
	for _, x := range r.Randomness {
		on := randomnessOn{chain, x.On.Epoch}
		if x.On.Beacon {
			on.kind = beacon
		}
		f.Randomness = append(f.Randomness, randomness{On: on, Ret: x.Ret})
	}
	for _, x := range r.Tipsets {
		f.Tipsets = append(f.Tipsets, tipset{x.Epoch, x.CID})
	}
	for _, x := range r.Faults {
		f.Faults = append(f.Faults, fault{H1: x.H1, H2: x.H2, Extra: x.Extra, Target: x.Target, Epoch: x.Epoch, Type: x.Type})
	}
	return f
}

// ConfigOf is the setting of a request for a machine: all but the blockstore, the engine and the hooks.
func ConfigOf(r *oracle.Request) (fvm.Config, error) {
	f := answersOf(r)
	if err := f.checkFacts(); err != nil {
		return fvm.Config{}, err
	}
	root, err := cid.Decode(r.Root)
	if err != nil {
		return fvm.Config{}, fmt.Errorf("root: %w", err)
	}
	baseFee, err := amount(json.Number(r.BaseFee), big.Zero())
	if err != nil {
		return fvm.Config{}, fmt.Errorf("base fee: %w", err)
	}
	supply, err := amount(json.Number(r.CircSupply), big.Zero())
	if err != nil {
		return fvm.Config{}, fmt.Errorf("circulating supply: %w", err)
	}
	proofs := Proofs(r.Proofs)
	switch proofs {
	case "":
		proofs = ProofsUpstream
	case ProofsUpstream, ProofsValid, ProofsInvalid:
	default:
		return fvm.Config{}, fmt.Errorf("proofs %q: want upstream, valid or invalid", r.Proofs)
	}
	return fvm.Config{
		NetworkVersion: r.NV, Epoch: r.Epoch, Timestamp: r.Timestamp, ChainID: r.ChainID, BaseFee: baseFee, CircSupply: supply,
		StateRoot: root, Externs: facts{f}, Proofs: verifier{mode: proofs}, Preview: true,
	}, nil
}

// DraftOf begins a vector of a request, with its answers; its messages are to be added. bundle and comment are as in NewDraft.
func DraftOf(r *oracle.Request, bundle, comment string) (*Draft, error) {
	cfg, err := ConfigOf(r)
	if err != nil {
		return nil, err
	}
	d := NewDraft(cfg, bundle, comment)
	d.file.Preconditions.Proofs = r.Proofs
	f := answersOf(r)
	d.file.Randomness, d.file.Tipsets, d.file.Faults = f.Randomness, f.Tipsets, f.Faults
	return d, nil
}

// AddRaw adds a message in its CBOR form, which need not decode, with what it must give: res nil is no receipt.
func (d *Draft) AddRaw(m oracle.Message, res *fvm.Result) {
	d.file.Messages = append(d.file.Messages, message{Bytes: m.Bytes, Implicit: m.Implicit, ChainLen: m.ChainLen})
	d.file.Post.Receipts = append(d.file.Post.Receipts, receiptOf(res))
}

// DecodeRequest reads message i of a request: the message, its kind and its length on the chain.
func DecodeRequest(r *oracle.Request, i int) (*fvm.Message, fvm.Kind, int, error) {
	m := r.Messages[i]
	return decodeMessage(message{Bytes: m.Bytes, Implicit: m.Implicit, ChainLen: m.ChainLen})
}

// ResultOf is an answer of the oracle as a machine gives it, but for the events themselves. What has no receipt is nil.
func ResultOf(r *oracle.Result) (*fvm.Result, error) {
	if r.Error != "" {
		return nil, nil
	}
	res := &fvm.Result{ExitCode: exitcode.ExitCode(r.ExitCode), Return: r.Return, GasUsed: r.GasUsed, GasRefund: r.GasRefund, GasBurned: r.GasBurned}
	if r.EventsRoot != "" {
		c, err := cid.Decode(r.EventsRoot)
		if err != nil {
			return nil, fmt.Errorf("the reference's events root: %w", err)
		}
		res.EventsRoot = &c
	}
	for _, x := range []struct {
		into *big.Int
		text string
	}{{&res.Penalty, r.Penalty}, {&res.MinerTip, r.MinerTip}, {&res.BaseFeeBurn, r.BaseFeeBurn}, {&res.OverEstimationBurn, r.OverEstimationBurn}, {&res.Refund, r.Refund}} {
		v, err := big.FromString(x.text)
		if err != nil {
			return nil, fmt.Errorf("the reference's fees: %w", err)
		}
		*x.into = v
	}
	return res, nil
}

// Compare lists how a result differs from what must come of message i.
func Compare(i int, want, got *fvm.Result) []Difference {
	w := receiptOf(want)
	switch {
	case got == nil && want == nil:
		return nil
	case got == nil:
		return []Difference{{i, "receipt", fmt.Sprintf("exit code %d", want.ExitCode), "none"}}
	}
	return compare(i, &w, got)
}
