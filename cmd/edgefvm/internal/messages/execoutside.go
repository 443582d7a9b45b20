package messages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/vector"
)

// outside answers what only a chain knows, with what the command line says. What nobody said is a failure of the node that
// names the flag to say it with.
type outside struct {
	epoch      abi.ChainEpoch
	randomness map[vector.Round][32]byte
	always     map[bool][32]byte // by whether it is the beacon's: the answer for epochs that are not listed
	tipsets    map[abi.ChainEpoch]cid.Cid
	tipset     cid.Cid // for epochs that are not listed; may be undefined
	faults     []vector.Fault
	judges     bool // faults are listed, if only that there are none
	said       map[question]string

	chain externs.Externs // what the archive has of a chain; nil: nothing

	proofs     externs.ProofVerifier
	proofsMode vector.Proofs // "": nobody said that all are alike
	proofsBy   string        // in words

	asked   vector.Facts // with the answers, for --save
	mu      sync.Mutex   // for verdicts: a batch of proofs may be judged by several goroutines
	verdict []verdict
}

var _ externs.Externs = (*outside)(nil)

// readOutside reads the flags.
func (x *execFlags) readOutside(ctx context.Context, epoch abi.ChainEpoch) (*outside, error) {
	o := &outside{epoch: epoch, randomness: map[vector.Round][32]byte{}, always: map[bool][32]byte{}, said: map[question]string{}, tipsets: map[abi.ChainEpoch]cid.Cid{}}
	for _, f := range []struct {
		flag   string
		values []string
		of     []bool // of the beacon
	}{
		{"--randomness", x.randomness, []bool{false, true}}, {"--beacon-randomness", x.beacon, []bool{true}}, {"--ticket-randomness", x.ticket, []bool{false}},
	} {
		for _, v := range f.values {
			if err := o.readRandomness(ctx, f.flag, v, f.of); err != nil {
				return nil, err
			}
		}
	}
	for _, v := range x.tipsets {
		if err := o.readTipset(v); err != nil {
			return nil, err
		}
	}
	return o, o.judge(ctx, x)
}

// forget drops what was asked so far.
func (o *outside) forget() {
	o.asked = vector.Facts{}
	o.verdict = nil
}

// ChainRandomness is that of externs.Externs.
func (o *outside) ChainRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return o.random(vector.Round{Epoch: round}, "the ticket's", "--ticket-randomness", func(c externs.Externs) ([32]byte, error) {
		return c.ChainRandomness(ctx, round)
	})
}

// BeaconRandomness is that of externs.Externs.
func (o *outside) BeaconRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return o.random(vector.Round{Beacon: true, Epoch: round}, "the beacon's", "--beacon-randomness", func(c externs.Externs) ([32]byte, error) {
		return c.BeaconRandomness(ctx, round)
	})
}

func (o *outside) random(on vector.Round, whose, flag string, ask func(externs.Externs) ([32]byte, error)) (d [32]byte, err error) {
	if on.Epoch > o.epoch { // as nodes have it
		err = fmt.Errorf("epoch %d is in the future", on.Epoch)
		o.note(vector.Randomness{On: on, Ret: d[:], Error: err.Error()})
		return d, err
	}
	at := vector.Round{Beacon: on.Beacon, Epoch: max(on.Epoch, 0)} // nodes take what is before the genesis for it
	d, ok := o.randomness[on]
	if !ok {
		d, ok = o.randomness[at]
	}
	if !ok {
		d, ok = o.always[on.Beacon]
	}
	var why error
	if !ok {
		if d, ok, why = fromChain(o, ask); ok && why != nil { // what every node hears
			o.note(vector.Randomness{On: on, Ret: d[:], Error: why.Error()})
			return d, why
		}
	}
	if !ok {
		return d, fmt.Errorf("%w: the message asks for %s randomness of epoch %d, which is not in the state: give it with %s %d=HEX, or for all epochs with --randomness HEX%s",
			externs.ErrNodeFailure, whose, on.Epoch, flag, at.Epoch, words(why))
	}
	o.note(vector.Randomness{On: on, Ret: d[:]})
	return d, nil
}

func (o *outside) note(r vector.Randomness) {
	for _, known := range o.asked.Randomness {
		if known.On == r.On {
			return
		}
	}
	o.asked.Randomness = append(o.asked.Randomness, r)
}

// words are those of an error, none of nil.
func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TipsetCID is that of externs.Externs.
func (o *outside) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	c, ok := o.tipsets[epoch]
	if !ok {
		c = o.tipset
	}
	var why error
	if !c.Defined() {
		c, _, why = fromChain(o, func(on externs.Externs) (cid.Cid, error) { return on.TipsetCID(ctx, epoch) })
	}
	if why != nil || !c.Defined() {
		return c, fmt.Errorf("%w: the message asks for the tipset of epoch %d, which is not in the state: give the CID of its key with --tipset %d=CID%s", externs.ErrNodeFailure, epoch, epoch, words(why))
	}
	for _, known := range o.asked.Tipsets {
		if known.Epoch == epoch {
			return c, nil
		}
	}
	o.asked.Tipsets = append(o.asked.Tipsets, vector.Tipset{Epoch: epoch, CID: c.String()})
	return c, nil
}

// VerifyConsensusFault is that of externs.Externs.
func (o *outside) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	for _, f := range o.faults {
		if !bytes.Equal(f.H1, h1) || !bytes.Equal(f.H2, h2) || !bytes.Equal(f.Extra, extra) {
			continue
		}
		o.asked.Faults = append(o.asked.Faults, f)
		if f.Error != "" {
			return nil, errors.New(f.Error)
		}
		return &externs.ConsensusFault{Target: f.Target, Epoch: f.Epoch, Type: f.Type}, nil
	}
	if o.judges {
		return nil, nil
	}
	f, known, why := o.judgeFault(ctx, h1, h2, extra)
	if !known {
		return nil, fmt.Errorf(`%w: the message reports a consensus fault, which only a chain can judge: give the verdict with --randomness FILE, as "faults" of a vector (an empty list: none)%s`, externs.ErrNodeFailure, words(why))
	}
	return f, why
}

// words say what the message asked and heard.
func (o *outside) words() (all []string) {
	for _, r := range o.asked.Randomness {
		whose := "the ticket's"
		if r.On.Beacon {
			whose = "the beacon's"
		}
		if r.Error != "" {
			all = append(all, fmt.Sprintf("%s randomness of epoch %d: %s", whose, r.On.Epoch, r.Error))
		} else {
			all = append(all, fmt.Sprintf("%s randomness of epoch %d: 0x%x", whose, r.On.Epoch, r.Ret))
		}
	}
	for _, t := range o.asked.Tipsets {
		all = append(all, fmt.Sprintf("the tipset of epoch %d: %s", t.Epoch, t.CID))
	}
	if n := len(o.asked.Faults); n > 0 {
		all = append(all, fmt.Sprintf("%d consensus %s", n, layout.Plural(n, "fault")))
	}
	if n := len(o.verdict); n > 0 {
		valid := 0
		for _, v := range o.verdict {
			if v.valid {
				valid++
			}
		}
		all = append(all, fmt.Sprintf("%d %s: %d valid, %s", n, layout.Plural(n, "proof"), valid, o.proofsBy))
	}
	return all
}
