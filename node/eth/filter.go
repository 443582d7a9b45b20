package eth

import (
	"encoding/json"
	"slices"
)

// Filter says which logs are wanted: eth_getLogs, eth_newFilter, and eth_subscribe of logs.
type Filter struct {
	FromBlock *BlockRef // nil: the latest
	ToBlock   *BlockRef // nil: the latest
	BlockHash *Hash     // instead of both (EIP-234)
	// Addresses any of which emitted the log; none: any. A masked ID finds the logs of the actor of that ID.
	Addresses []Address
	// Topics are for each place those any of which it may be; none: any.
	Topics [][]Hash
}

const (
	maxFilterList = 10_000 // of addresses, or topics of a place
)

// UnmarshalJSON reads an object. A single address or topic may stand instead of a list, and null for any.
func (f *Filter) UnmarshalJSON(b []byte) error {
	var v struct {
		FromBlock, ToBlock *BlockRef
		BlockHash          *Hash
		Address            oneOrMore[Address]
		Topics             []oneOrMore[Hash]
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*f = Filter{FromBlock: v.FromBlock, ToBlock: v.ToBlock, BlockHash: v.BlockHash, Addresses: v.Address}
	for _, t := range v.Topics {
		f.Topics = append(f.Topics, t)
	}
	switch {
	case f.BlockHash != nil && (f.FromBlock != nil || f.ToBlock != nil):
		return invalid("a filter has either blockHash or fromBlock and toBlock")
	case len(f.Topics) > maxTopics:
		return invalid("too many topics in filter: %d, max: %d", len(f.Topics), maxTopics)
	case len(f.Addresses) > maxFilterList:
		return invalid("too many addresses in filter: %d, max: %d", len(f.Addresses), maxFilterList)
	}
	for _, t := range f.Topics {
		if len(t) > maxFilterList {
			return invalid("too many topics in filter: %d, max: %d", len(t), maxFilterList)
		}
	}
	for _, r := range []*BlockRef{f.FromBlock, f.ToBlock} {
		if r != nil && r.Hash != nil {
			return invalid("a range of blocks is given by numbers; one block by blockHash")
		}
	}
	return nil
}

// oneOrMore reads a value, a list of them, or null.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(b []byte) error {
	switch {
	case isNull(b):
		*l = nil
		return nil
	case len(b) > 0 && b[0] == '[':
		return json.Unmarshal(b, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}

// Range are the first and the last epoch, where latest is the last that was executed, and no more than most epochs may lie
// between. first is after last where nothing is there yet. Of Strict the tags pending, safe and finalized are errors; Tools take them for the latest, and a last epoch
// beyond the latest as well. It is not for filters by a block's hash.
func (f *Filter) Range(m Manner, latest, most uint64) (first, last uint64, err error) {
	at := func(r *BlockRef) (uint64, error) {
		switch {
		case r == nil || *r == BlockRef{} || r.Tag == Latest:
			return latest, nil
		case r.Tag == Earliest:
			return 0, nil
		case r.Number != nil:
			return uint64(*r.Number), nil
		case m == Strict:
			return 0, &Error{Code: CodeAny, Message: "FromBlock and ToBlock are hex, latest or earliest"}
		}
		return latest, nil
	}
	if first, err = at(f.FromBlock); err != nil {
		return 0, 0, err
	}
	if last, err = at(f.ToBlock); err != nil {
		return 0, 0, err
	}
	open := f.ToBlock == nil || *f.ToBlock == BlockRef{} || f.ToBlock.Tag == Latest
	switch {
	case first > last && !open:
		return 0, 0, invalid("invalid epoch range: to block (%d) must be after from block (%d)", last, first)
	case m == Strict && max(first, last) > latest:
		return 0, 0, &Error{Code: CodeAny, Message: "events for the requested block are not yet available"}
	}
	last = min(last, latest)
	if first <= last && last-first > most {
		return 0, 0, RangeExceeded(most, last-first)
	}
	return first, last, nil
}

// Match tells whether a log is wanted, by its address and topics. Blocks are the caller's to choose.
func (f *Filter) Match(l *Log) bool {
	if len(f.Addresses) > 0 && !slices.Contains(f.Addresses, l.Address) && !slices.Contains(f.Addresses, MaskedID(uint64(l.Emitter))) {
		return false
	}
	for i, any := range f.Topics {
		if len(any) > 0 && (i >= len(l.Topics) || !slices.Contains(any, l.Topics[i])) {
			return false
		}
	}
	return true
}

// MayMatch tells whether a block can have a wanted log, by its bloom. It may be wrong by saying yes.
func (f *Filter) MayMatch(b *Bloom) bool {
	may := func(any [][]byte) bool { return len(any) == 0 || slices.ContainsFunc(any, b.Has) }
	var addresses [][]byte
	for i := range f.Addresses {
		if f.Addresses[i] == MaskedID(f.Addresses[i].maskedID()) {
			addresses = nil // its logs may be shown under another address
			break
		}
		addresses = append(addresses, f.Addresses[i][:])
	}
	if !may(addresses) {
		return false
	}
	for _, place := range f.Topics {
		var topics [][]byte
		for i := range place {
			topics = append(topics, place[i][:])
		}
		if !may(topics) {
			return false
		}
	}
	return true
}
