package oracle

import (
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/vector"
)

// RequestOf asks the oracle for what a variant of the vector gives. The oracle's store must hold the blocks of the
// vector's CAR and the actors' code. A vector with answers that the oracle cannot give is an error.
func RequestOf(v *vector.Vector, variant int) (*Request, error) {
	if variant < 0 || variant >= len(v.Variants()) {
		return nil, fmt.Errorf("vector %s has no variant %d", v.Name, variant)
	}
	baseFee, err := v.BaseFee()
	if err != nil {
		return nil, err
	}
	supply, err := v.CircSupply()
	if err != nil {
		return nil, err
	}
	proofs, err := v.Proofs()
	if err != nil {
		return nil, err
	}
	alike, ok := v.ProofsAlike()
	switch {
	case v.Debugging():
		return nil, fmt.Errorf("vector %s: the reference cannot let actors log, as they do on this network", v.Name)
	case ok:
		proofs = alike
	case v.ProofsListed():
		return nil, fmt.Errorf("vector %s: some of its proofs are valid and some are not, and the reference judges all alike", v.Name)
	}
	va := v.Variants()[variant]
	r := &Request{
		NV: va.NV, Epoch: va.Epoch, Timestamp: va.Time(), ChainID: v.ChainID(),
		BaseFee: baseFee.String(), CircSupply: supply.String(), Root: v.PreRoot().String(), Proofs: string(proofs),
		Messages: v.Messages(), Facts: vector.Facts{Randomness: v.Facts().Randomness, Tipsets: v.Facts().Tipsets},
	}
	for _, x := range v.Facts().Randomness {
		if x.Error != "" {
			return nil, fmt.Errorf("vector %s: the reference has no failing randomness", v.Name)
		}
	}
	for _, x := range v.Facts().Faults {
		if x.Error != "" {
			return nil, fmt.Errorf("vector %s: the reference has no failing faults", v.Name)
		}
		x.H1, x.H2, x.Extra = some(x.H1), some(x.H2), some(x.Extra)
		r.Faults = append(r.Faults, x)
	}
	return r, nil
}

// some is an empty list, not null: the oracle wants bytes.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// ConfigOf is the setting of a request for a machine: all but the blockstore, the engine and the hooks.
func ConfigOf(r *Request) (fvm.Config, error) {
	if err := r.Facts.Check(); err != nil {
		return fvm.Config{}, err
	}
	root, err := cid.Decode(r.Root)
	if err != nil {
		return fvm.Config{}, fmt.Errorf("root: %w", err)
	}
	baseFee, err := amount(r.BaseFee)
	if err != nil {
		return fvm.Config{}, fmt.Errorf("base fee: %w", err)
	}
	supply, err := amount(r.CircSupply)
	if err != nil {
		return fvm.Config{}, fmt.Errorf("circulating supply: %w", err)
	}
	proofs, err := vector.Proofs(r.Proofs).Check()
	if err != nil {
		return fvm.Config{}, err
	}
	return fvm.Config{
		NetworkVersion: r.NV, Epoch: r.Epoch, Timestamp: r.Timestamp, ChainID: r.ChainID, BaseFee: baseFee, CircSupply: supply,
		StateRoot: root, Externs: r.Facts.Externs(), Proofs: proofs.Verifier(), Preview: true,
	}, nil
}

// amount reads whole attoFIL; "" is 0.
func amount(text string) (abi.TokenAmount, error) {
	if text == "" {
		return big.Zero(), nil
	}
	v, err := big.FromString(text)
	if err != nil || v.Sign() < 0 {
		return big.Zero(), fmt.Errorf("%q is not a whole amount of attoFIL", text)
	}
	return v, nil
}

// DraftOf begins a vector of a request, with its answers; its messages are to be added. bundle and comment are as in vector.NewDraft.
func DraftOf(r *Request, bundle, comment string) (*vector.Draft, error) {
	cfg, err := ConfigOf(r)
	if err != nil {
		return nil, err
	}
	d := vector.NewDraft(cfg, bundle, comment)
	d.Facts(r.Facts, vector.Proofs(r.Proofs))
	return d, nil
}

// ResultOf is an answer of the oracle as a machine gives it, but for the events themselves. What has no receipt is nil.
func ResultOf(r *Result) (*fvm.Result, error) {
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
