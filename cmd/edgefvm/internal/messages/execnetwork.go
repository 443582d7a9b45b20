package messages

import (
	"fmt"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	gst "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/network"
)

// said is a value with who said it, in words for the receipt.
type said[T any] struct {
	is T
	by string
}

// byDefault is said of what nobody said.
const byDefault = "by default"

// setting is where and when a message runs.
type setting struct {
	// net is nil if nothing tells which network it is: then the chain id alone was given, and it is nobody's.
	net       said[*network.Network]
	chainID   uint64
	version   said[gst.Version]
	epoch     said[abi.ChainEpoch]
	timestamp said[uint64] // seconds since 1970
	baseFee   said[string] // as a flag has it
	supply    said[abi.TokenAmount]
	// list is the state's list of builtin actors, and names the bundles that have this list; none: nobody knows it.
	list  cid.Cid
	names []string
	// warnings are what does not fit, a sentence each.
	warnings []string
}

func (s *setting) warn(format string, a ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, a...))
}

// settle finds out where and when the message runs: from the flags, from the headers of the archive, from what the network is
// known for, and from the state's own actors.
func (x *execFlags) settle(cmd *cobra.Command, state *execState) (*setting, error) {
	s := &setting{baseFee: said[string]{x.baseFee, "--base-fee"}}
	given := cmd.Flags().Changed
	if err := x.findNetwork(s, given, state.head); err != nil {
		return nil, err
	}
	if p := state.place; p != nil && !given("network") {
		s.net, s.warnings = said[*network.Network]{p.network, "by the chain's genesis"}, nil
		if !given("chain-id") {
			s.chainID = p.network.ChainID
		} else if s.chainID != p.network.ChainID {
			s.warn("--chain-id %d does not fit: that of %s is %d", s.chainID, p.network.Name, p.network.ChainID)
		}
	}
	if err := x.findEpoch(s, given, state.head); err != nil {
		return nil, err
	}
	if !given("base-fee") {
		s.baseFee.by = byDefault
		if h := state.head; h != nil && s.epoch.is == abi.ChainEpoch(h.Epoch) {
			s.baseFee = said[string]{h.BaseFee.String(), "by the header"}
		}
	}
	if err := x.findActors(cmd, s, state); err != nil {
		return nil, err
	}
	if err := x.findVersion(s, given); err != nil {
		return nil, err
	}
	return s, x.findTime(s, given, state.head)
}

// named is the network of --network.
func (x *execFlags) named() (*network.Network, error) {
	n, err := network.Find(x.network)
	if err != nil {
		return nil, kit.Usagef("--network: %w%s", err, kit.Alike(x.network, network.Names()))
	}
	return n, nil
}

func (x *execFlags) findNetwork(s *setting, given func(string) bool, head *kit.Head) error {
	if x.network != "" {
		n, err := x.named()
		if err != nil {
			return err
		}
		s.net = said[*network.Network]{n, "by --network"}
	} else if n := byTime(head); n != nil && (!given("chain-id") || x.chainID == n.ChainID) {
		s.net = said[*network.Network]{n, "by the header's time"}
	} else if n, ok := network.ByChainID(x.chainID); ok {
		s.net = said[*network.Network]{n, "by --chain-id"}
		if !given("chain-id") {
			s.net.by = byDefault
			if head != nil {
				s.warn("epoch %d of the archive's header is at %d, which is no network's that is known: it runs as mainnet's; --network says which it is", head.Epoch, head.Timestamp)
			}
		}
	}
	s.chainID = x.chainID
	switch n := s.net.is; {
	case n != nil && !given("chain-id"):
		s.chainID = n.ChainID
	case n != nil && n.ChainID != s.chainID:
		s.warn("--chain-id %d does not fit: that of %s is %d", s.chainID, n.Name, n.ChainID)
	}
	return nil
}

// byTime is the network on which a header's epoch is at the header's time.
func byTime(head *kit.Head) *network.Network {
	if head == nil {
		return nil
	}
	for _, name := range network.Names() {
		n, _ := network.ByName(name)
		if at, err := n.TimestampAt(abi.ChainEpoch(head.Epoch)); err == nil && at == head.Timestamp {
			return n
		}
	}
	return nil
}

func (x *execFlags) findEpoch(s *setting, given func(string) bool, head *kit.Head) error {
	switch {
	case given("epoch"):
		s.epoch = said[abi.ChainEpoch]{abi.ChainEpoch(x.epoch), "by --epoch"}
	case head != nil:
		s.epoch = said[abi.ChainEpoch]{abi.ChainEpoch(head.Epoch), "by the header"}
	case given("timestamp") && s.net.is != nil:
		e, err := s.net.is.EpochAt(x.timestamp)
		if err != nil {
			return kit.Usagef("which epoch? --timestamp does not tell it: %w", err)
		}
		if at, err := s.net.is.TimestampAt(e); err != nil || at != x.timestamp {
			return kit.Usagef("which epoch? No epoch of %s begins at --timestamp %d; %d begins at %d", s.net.is.Name, x.timestamp, e, at)
		}
		s.epoch = said[abi.ChainEpoch]{e, "by --timestamp"}
	default:
		return kit.Usagef("which epoch? Give --epoch; nothing in the archive tells it")
	}
	return nil
}

func (x *execFlags) findTime(s *setting, given func(string) bool, head *kit.Head) error {
	by := func(t uint64, who string) { s.timestamp = said[uint64]{t, who} }
	var why error
	switch {
	case given("timestamp"):
		by(x.timestamp, "by --timestamp")
		if s.net.is == nil || x.network == "" {
			return nil
		}
		if at, err := s.net.is.TimestampAt(s.epoch.is); err == nil && at != x.timestamp {
			s.warn("--timestamp %d does not fit: epoch %d of %s is at %d", x.timestamp, s.epoch.is, s.net.is.Name, at)
		}
		return nil
	case head != nil && s.epoch.is == abi.ChainEpoch(head.Epoch):
		by(head.Timestamp, "by the header")
		return nil
	case s.net.is != nil:
		n, who := s.net.is, "by the genesis of "+s.net.is.Name
		if head != nil && n.GenesisTime == 0 {
			n, who = s.chainNetwork(head), "by the header's time"
		}
		var t uint64
		if t, why = n.TimestampAt(s.epoch.is); why == nil {
			by(t, who)
			return nil
		}
	default:
		why = fmt.Errorf("chain id %d is no network's that is known", s.chainID)
	}
	if s.version.is < gst.Version18 { // nobody can see it
		by(0, "which counts for nothing before version 18")
		return nil
	}
	return kit.Usagef("when is epoch %d? Give --timestamp, in seconds since 1970: %w", s.epoch.is, why)
}

// when is the time of the message, for people.
func (s *setting) when() string {
	if s.timestamp.is == 0 || s.timestamp.is > 1<<40 {
		return fmt.Sprintf("timestamp %d", s.timestamp.is)
	}
	return fmt.Sprintf("%s, timestamp %d", time.Unix(int64(s.timestamp.is), 0).UTC().Format(time.RFC3339), s.timestamp.is)
}

// where is the network, for people.
func (s *setting) where() string {
	name := "no network that is known"
	if s.net.is != nil {
		name = fmt.Sprintf("%s (%s)", s.net.is.Name, s.net.by)
	}
	return fmt.Sprintf("%s, chain id %d, version %d (%s)", name, s.chainID, s.version.is, s.version.by)
}
