package chain

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// Resolve gives the ID address of the actor that an address belongs to. An ID address belongs to itself, whether there is such an
// actor or not; an address that no actor has is an error.
type Resolve func(context.Context, address.Address) (address.Address, error)

// Select are the messages of a tipset's blocks that are executed: of each sender those whose nonces follow one another. The first
// message of a sender tells where they begin, for a block is valid only if its messages do so.
//
// A sender is known by the address that the message has. With byID, which networks have from their Hyperdrive upgrade on, that
// is so until the first message that names its sender by ID: from there on senders are known by the IDs that resolve gives, in
// the tipset's parent state. A message that stands in several blocks stays in each: executing it once is ApplyTipset's.
func Select(ctx context.Context, blocks []*BlockMessages, byID bool, resolve Resolve) ([][]Message, error) {
	s := selection{byID: byID, resolve: resolve, next: map[address.Address]uint64{}}
	out := make([][]Message, len(blocks))
	for i, b := range blocks {
		for _, m := range b.All() {
			ok, err := s.takes(ctx, m.Message)
			if err != nil {
				return nil, fmt.Errorf("the sender of message %s in block %d: %w", m.CID, i, err)
			}
			if ok {
				out[i] = append(out[i], m)
			}
		}
	}
	return out, nil
}

type selection struct {
	byID    bool
	resolve Resolve
	ids     bool                       // a sender was named by ID
	next    map[address.Address]uint64 // nonces
	order   []address.Address          // the keys of next, as they came
}

func (s *selection) takes(ctx context.Context, m *fvm.Message) (bool, error) {
	sender, err := s.sender(ctx, m.From)
	if err != nil {
		return false, err
	}
	s.expect(sender, m.Nonce, false)
	if s.next[sender] != m.Nonce {
		return false, nil
	}
	s.next[sender]++
	return true, nil
}

func (s *selection) sender(ctx context.Context, from address.Address) (address.Address, error) {
	if !s.byID {
		return from, nil
	}
	if !s.ids {
		if from.Protocol() != address.ID {
			return from, nil
		}
		s.ids = true
		for _, a := range s.order {
			id, err := s.resolve(ctx, a)
			if err != nil {
				return from, fmt.Errorf("resolving %s: %w", addr.String(a), err)
			}
			s.expect(id, s.next[a], true)
		}
	}
	id, err := s.resolve(ctx, from)
	if err != nil {
		return from, fmt.Errorf("resolving %s: %w", addr.String(from), err)
	}
	return id, nil
}

// expect sets the next nonce of a sender; anew only if it is said to.
func (s *selection) expect(sender address.Address, nonce uint64, anew bool) {
	if _, ok := s.next[sender]; ok && !anew {
		return
	} else if !ok {
		s.order = append(s.order, sender)
	}
	s.next[sender] = nonce
}
