package messages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/textform"
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

	proofs     externs.ProofVerifier
	proofsMode vector.Proofs // "": nobody said how proofs are judged

	asked  vector.Facts // with the answers, for --save
	judged atomic.Int64 // proofs
}

var _ externs.Externs = (*outside)(nil)

// readOutside reads the flags.
func (x *execFlags) readOutside(ctx context.Context, epoch abi.ChainEpoch) (*outside, error) {
	o := &outside{epoch: epoch, randomness: map[vector.Round][32]byte{}, always: map[bool][32]byte{}, tipsets: map[abi.ChainEpoch]cid.Cid{}}
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
	switch x.proofs {
	case "":
	case "assume-valid":
		o.proofsMode = vector.ProofsValid
	case "assume-invalid":
		o.proofsMode = vector.ProofsInvalid
	default:
		return nil, kit.Usagef("--proofs %q: want assume-valid or assume-invalid", x.proofs)
	}
	o.proofs = noJudge{}
	if o.proofsMode != "" {
		o.proofs = counting{o.proofsMode.Verifier(), o}
	}
	return o, nil
}

// forget drops what was asked so far.
func (o *outside) forget() {
	o.asked = vector.Facts{}
	o.judged.Store(0)
}

// atEpoch takes an epoch and = from the beginning of a value.
func atEpoch(flag, v string) (epoch abi.ChainEpoch, rest string, is bool, err error) {
	before, after, found := strings.Cut(v, "=")
	if !found || strings.Trim(before, "0123456789") != "" || before == "" || after == "" {
		return 0, v, false, nil
	}
	n, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return 0, v, false, kit.Usagef("%s %q: %s is no epoch", flag, v, before)
	}
	return abi.ChainEpoch(n), after, true, nil
}

func (o *outside) readRandomness(ctx context.Context, flag, v string, of []bool) error {
	epoch, text, listed, err := atEpoch(flag, v)
	if err != nil {
		return err
	}
	data, err := (&textform.Reader{}).Read(ctx, text)
	if err != nil {
		return kit.Usagef("%s %q: %w", flag, v, err)
	}
	if data.Form == textform.JSON {
		if listed {
			return kit.Usagef("%s %q: a file in JSON names its epochs itself", flag, v)
		}
		if err := o.readFacts(data.Bytes, of); err != nil {
			return kit.Usagef("%s %s: %w", flag, v, err)
		}
		return nil
	}
	value, err := digest(data.Bytes)
	if err != nil {
		return kit.Usagef("%s %q: %w", flag, v, err)
	}
	for _, beacon := range of {
		if listed {
			o.randomness[vector.Round{Beacon: beacon, Epoch: epoch}] = value
		} else {
			o.always[beacon] = value
		}
	}
	return nil
}

func digest(data []byte) (d [32]byte, err error) {
	if len(data) != len(d) {
		return d, fmt.Errorf("it has %d bytes: want the 32 bytes of a digest, which is the blake2b-256 of a beacon entry's data, or of a ticket's proof", len(data))
	}
	return [32]byte(data), nil
}

// readFacts reads JSON: what the world outside answers, as vectors have it ({"randomness": [...], "tipsets": [...], "faults":
// [...]}), its list of randomness alone, or randomness by epoch ({"5800000": "0x..."}), which of says whose it is.
func (o *outside) readFacts(data []byte, of []bool) error {
	var facts struct {
		Randomness json.RawMessage `json:"randomness"`
		Tipsets    []vector.Tipset `json:"tipsets"`
		Faults     []vector.Fault  `json:"faults"`
	}
	var list []vector.Randomness
	var byEpoch map[abi.ChainEpoch]string
	switch {
	case data[0] == '[':
		if err := json.Unmarshal(data, &list); err != nil {
			return err
		}
	case json.Unmarshal(data, &byEpoch) == nil:
		for epoch, text := range byEpoch {
			read, err := textform.Parse(text)
			if err != nil {
				return fmt.Errorf("epoch %d: %w", epoch, err)
			}
			value, err := digest(read.Bytes)
			if err != nil {
				return fmt.Errorf("epoch %d: %w", epoch, err)
			}
			for _, beacon := range of {
				o.randomness[vector.Round{Beacon: beacon, Epoch: epoch}] = value
			}
		}
		return nil
	default:
		if err := json.Unmarshal(data, &facts); err != nil {
			return err
		}
		if facts.Randomness == nil && facts.Tipsets == nil && facts.Faults == nil {
			return errors.New(`want "randomness", "tipsets" or "faults" as vectors have them, or randomness by epoch`)
		}
		if facts.Randomness != nil {
			if err := json.Unmarshal(facts.Randomness, &list); err != nil {
				return err
			}
		}
	}
	all := vector.Facts{Randomness: list, Tipsets: facts.Tipsets, Faults: facts.Faults}
	if err := all.Check(); err != nil {
		return err
	}
	for _, r := range list {
		if r.Error != "" {
			return fmt.Errorf("randomness of epoch %d is an error", r.On.Epoch)
		}
		o.randomness[r.On] = [32]byte(r.Ret)
	}
	for _, t := range facts.Tipsets {
		c, err := cid.Decode(t.CID)
		if err != nil {
			return err
		}
		o.tipsets[t.Epoch] = c
	}
	o.judges = o.judges || facts.Faults != nil
	o.faults = append(o.faults, facts.Faults...)
	return nil
}

func (o *outside) readTipset(v string) error {
	epoch, text, listed, err := atEpoch("--tipset", v)
	if err != nil {
		return err
	}
	c, err := cid.Decode(text)
	if err != nil {
		return kit.Usagef("--tipset %q: want CID or EPOCH=CID: %w", v, err)
	}
	if listed {
		o.tipsets[epoch] = c
	} else {
		o.tipset = c
	}
	return nil
}

func (o *outside) ChainRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return o.random(vector.Round{Epoch: round}, "the ticket's", "--ticket-randomness")
}

func (o *outside) BeaconRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return o.random(vector.Round{Beacon: true, Epoch: round}, "the beacon's", "--beacon-randomness")
}

func (o *outside) random(on vector.Round, whose, flag string) (d [32]byte, err error) {
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
	if !ok {
		return d, fmt.Errorf("%w: the message asks for %s randomness of epoch %d, which is not in the state: give it with %s %d=HEX, or for all epochs with --randomness HEX",
			externs.ErrNodeFailure, whose, on.Epoch, flag, at.Epoch)
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

func (o *outside) TipsetCID(_ context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	c, ok := o.tipsets[epoch]
	if !ok {
		c = o.tipset
	}
	if !c.Defined() {
		return c, fmt.Errorf("%w: the message asks for the tipset of epoch %d, which is not in the state: give the CID of its key with --tipset %d=CID", externs.ErrNodeFailure, epoch, epoch)
	}
	for _, known := range o.asked.Tipsets {
		if known.Epoch == epoch {
			return c, nil
		}
	}
	o.asked.Tipsets = append(o.asked.Tipsets, vector.Tipset{Epoch: epoch, CID: c.String()})
	return c, nil
}

func (o *outside) VerifyConsensusFault(_ context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
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
	if !o.judges {
		return nil, fmt.Errorf(`%w: the message reports a consensus fault, which only a chain can judge: give the verdict with --randomness FILE, as "faults" of a vector (an empty list: none)`, externs.ErrNodeFailure)
	}
	return nil, nil
}

// noJudge stands where nobody said how proofs are judged.
type noJudge struct{}

func (noJudge) refuse(what string) (bool, error) {
	return false, fmt.Errorf("%w: the message has %s judged: say how it comes out with --proofs assume-valid or assume-invalid", externs.ErrNodeFailure, what)
}

func (n noJudge) VerifySeal(context.Context, proof.SealVerifyInfo) (bool, error) {
	return n.refuse("the proof of a seal")
}

func (n noJudge) VerifyAggregateSeals(context.Context, proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return n.refuse("an aggregate of proofs")
}

func (n noJudge) VerifyPoSt(context.Context, proof.WindowPoStVerifyInfo) (bool, error) {
	return n.refuse("a proof of spacetime")
}

func (n noJudge) VerifyReplicaUpdate(context.Context, proof.ReplicaUpdateInfo) (bool, error) {
	return n.refuse("the proof of an update")
}

// counting counts the proofs that are judged.
type counting struct {
	externs.ProofVerifier
	of *outside
}

func (v counting) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	v.of.judged.Add(1)
	return v.ProofVerifier.VerifySeal(ctx, info)
}

func (v counting) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	v.of.judged.Add(1)
	return v.ProofVerifier.VerifyAggregateSeals(ctx, info)
}

func (v counting) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	v.of.judged.Add(1)
	return v.ProofVerifier.VerifyPoSt(ctx, info)
}

func (v counting) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	v.of.judged.Add(1)
	return v.ProofVerifier.VerifyReplicaUpdate(ctx, info)
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
		all = append(all, fmt.Sprintf("consensus faults: %d, by --randomness", n))
	}
	if n := o.judged.Load(); n > 0 {
		all = append(all, fmt.Sprintf("proofs: %d assumed to be %s, by --proofs", n, o.proofsMode))
	}
	return all
}
