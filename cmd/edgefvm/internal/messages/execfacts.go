package messages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/textform"
	"github.com/edgefvm/fvm/vector"
)

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
		if err := o.readFacts(flag, data.Bytes, of); err != nil {
			return kit.Usagef("%s %s: %w", flag, v, err)
		}
		return nil
	}
	value, err := digest(data.Bytes)
	if err != nil {
		return kit.Usagef("%s %q: %w", flag, v, err)
	}
	if !listed {
		epoch = everyEpoch
	}
	for _, beacon := range of {
		round := vector.Round{Beacon: beacon, Epoch: epoch}
		if err := o.once(flag, round, fmt.Sprintf("%x", value)); err != nil {
			return kit.Usagef("%s %q: %w", flag, v, err)
		}
		if listed {
			o.randomness[round] = value
		} else {
			o.always[beacon] = value
		}
	}
	return nil
}

// everyEpoch stands for the epochs that are not listed. It is none that a message can ask for.
const everyEpoch = math.MinInt64

// once takes down what a flag answers, and refuses another answer to the same question. --beacon-randomness and --ticket-randomness
// may say otherwise than --randomness.
func (o *outside) once(flag string, on vector.Round, answer string) error {
	key := question{flag, on}
	if known, asked := o.said[key]; asked && known != answer {
		if on.Epoch == everyEpoch {
			return errors.New("another one for all epochs says otherwise: give one, or EPOCH=HEX for each")
		}
		return fmt.Errorf("another one for epoch %d says otherwise: give one", on.Epoch)
	}
	o.said[key] = answer
	return nil
}

// question is what a flag answers.
type question struct {
	flag string
	on   vector.Round
}

var errNotAsVectors = errors.New(`want "randomness", "tipsets" or "faults" as vectors have them, a list of randomness alone, or digests in hex by epoch, {"EPOCH": "HEX"}`)

func digest(data []byte) (d [32]byte, err error) {
	if len(data) != len(d) {
		return d, fmt.Errorf("it has %d bytes: want the 32 bytes of a digest, which is the blake2b-256 of a beacon entry's data, or of a ticket's proof", len(data))
	}
	return [32]byte(data), nil
}

// readFacts reads JSON: what the world outside answers, as vectors have it ({"randomness": [...], "tipsets": [...], "faults":
// [...]}), its list of randomness alone, or randomness by epoch ({"5800000": "0x..."}), which of says whose it is.
func (o *outside) readFacts(flag string, data []byte, of []bool) error {
	if _, err := jsonview.Parse(data); err != nil { // an epoch that is there twice
		return err
	}
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
			return errNotAsVectors
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
				round := vector.Round{Beacon: beacon, Epoch: epoch}
				if err := o.once(flag, round, fmt.Sprintf("%x", value)); err != nil {
					return err
				}
				o.randomness[round] = value
			}
		}
		return nil
	default:
		if err := json.Unmarshal(data, &facts); err != nil || facts.Randomness == nil && facts.Tipsets == nil && facts.Faults == nil {
			return errNotAsVectors
		}
		if facts.Randomness != nil {
			if err := json.Unmarshal(facts.Randomness, &list); err != nil {
				return errNotAsVectors
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
		if err := o.once(flag, r.On, fmt.Sprintf("%x", r.Ret)); err != nil {
			return err
		}
		o.randomness[r.On] = [32]byte(r.Ret)
	}
	for _, t := range facts.Tipsets {
		c, err := textform.CID(t.CID)
		if err != nil {
			return fmt.Errorf("tipset of epoch %d: %q: %w", t.Epoch, t.CID, err)
		}
		if err := o.once("tipset", vector.Round{Epoch: t.Epoch}, c.String()); err != nil {
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
	c, err := textform.CID(text)
	if err != nil {
		return kit.Usagef("--tipset %q: want CID or EPOCH=CID: %w", v, err)
	}
	if !listed {
		epoch = everyEpoch
	}
	if err := o.once("tipset", vector.Round{Epoch: epoch}, c.String()); err != nil {
		return kit.Usagef("--tipset %q: %w", v, err)
	}
	if listed {
		o.tipsets[epoch] = c
	} else {
		o.tipset = c
	}
	return nil
}
