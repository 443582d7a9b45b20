package messages

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	gst "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/internal/vm/actors"
	vmstate "github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/network"
)

// said is a value with who said it, in words for the receipt.
type said[T any] struct {
	is T
	by string
}

// setting is where and when a message runs.
type setting struct {
	// net is nil if nothing tells which network it is: then the chain id alone was given, and it is nobody's.
	net       said[*network.Network]
	chainID   uint64
	version   said[gst.Version]
	epoch     said[abi.ChainEpoch]
	timestamp said[uint64] // seconds since 1970
	baseFee   said[string] // as a flag has it
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
	if err := x.findEpoch(s, given, state.head); err != nil {
		return nil, err
	}
	if !given("base-fee") {
		s.baseFee.by = "by default"
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

func (x *execFlags) findNetwork(s *setting, given func(string) bool, head *kit.Head) error {
	if x.network != "" {
		n, err := network.Find(x.network)
		if err != nil {
			return kit.Usagef("--network: %w%s", err, kit.DidYouMean(x.network, network.Names()))
		}
		s.net = said[*network.Network]{n, "by --network"}
	} else if n := byTime(head); n != nil && (!given("chain-id") || x.chainID == n.ChainID) {
		s.net = said[*network.Network]{n, "by the header's time"}
	} else if n, ok := network.ByChainID(x.chainID); ok {
		s.net = said[*network.Network]{n, "by --chain-id"}
		if !given("chain-id") {
			s.net.by = "by default"
			if head != nil {
				s.warn("epoch %d of the archive's header is at %d, which is no network's that is known: it runs as mainnet's; --network says which it is", head.Epoch, head.Timestamp)
			}
		}
	}
	s.chainID = x.chainID
	if s.net.is != nil && !given("chain-id") {
		s.chainID = s.net.is.ChainID
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

// findActors looks up which bundle's actors the state has.
func (x *execFlags) findActors(cmd *cobra.Command, s *setting, state *execState) error {
	ctx := cmd.Context()
	var err error
	if s.list, err = listOfActors(ctx, state, state.root); format.IsNotFound(err) {
		return nil // the machine says what is missing, if it needs it
	} else if err != nil {
		return fmt.Errorf("the state %s: %w", state.root, err)
	}
	s.names = bundle.NamesOf(s.list)
	if len(s.names) == 0 { // one that somebody added, perhaps
		opts := x.set.BundleOptions(cmd)
		opts.NoDownload = true
		set, err := bundle.Open(ctx, opts)
		if err != nil {
			return nil // then nobody knows it
		}
		all, err := set.List(ctx)
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.Manifest != "" && e.Manifest == bundle.ManifestOf(s.list).String() {
				s.names = append(s.names, e.Name())
			}
		}
	}
	return nil
}

// listOfActors is the CID of the list of builtin actors that the system actor of a state names.
func listOfActors(ctx context.Context, store blockstore.Blockstore, root cid.Cid) (cid.Cid, error) {
	buffered := blockstore.NewBuffered(store)
	tree, err := vmstate.Load(ctx, buffered, root, 4, vmstate.Current)
	if err != nil {
		return cid.Undef, err
	}
	system, err := tree.Actor(ctx, actors.SystemActor)
	if err != nil {
		return cid.Undef, err
	}
	if system == nil {
		return cid.Undef, fmt.Errorf("there is no system actor f00")
	}
	data, err := buffered.GetRaw(ctx, system.Head)
	if err != nil {
		return cid.Undef, fmt.Errorf("reading the system actor's state: %w", err)
	}
	r := cbor.NewReader(data)
	r.Tuple(1)
	list := r.CID()
	if err := r.End(); err != nil {
		return cid.Undef, fmt.Errorf("the system actor's state: %w", err)
	}
	return list, nil
}

// bundleName names the bundle that has the state's list of actors, mainnet's if several have; "" if nobody knows the list.
func (s *setting) bundleName() string {
	if len(s.names) == 0 {
		return ""
	}
	return cmp.Or(bundle.NameOf(s.list), s.names[0])
}

// candidates are the network versions that run the state's actors, in order.
func (s *setting) candidates() (all []gst.Version) {
	first, _, preview := fvm.NetworkVersions()
	for v := first; v <= preview; v++ {
		of, err := bundle.VersionFor(v)
		if err == nil && slices.ContainsFunc(s.names, func(name string) bool { return strings.HasPrefix(name, fmt.Sprintf("v%d/", of)) }) {
			all = append(all, v)
		}
	}
	return all
}

// findVersion is what --nv says, else what the state's actors say, else what the network had at the epoch.
func (x *execFlags) findVersion(s *setting, given func(string) bool) error {
	fit := s.candidates()
	known := "the state's actors are " + s.bundleName() + ", which network " + versions(fit) + layout.Choose(len(fit), " runs", " run")
	switch {
	case given("nv"):
		s.version = said[gst.Version]{gst.Version(x.nv), "by --nv"}
		if len(fit) > 0 && !slices.Contains(fit, s.version.is) {
			s.warn("--nv %d does not fit: %s", x.nv, known)
		}
		return nil
	case len(fit) == 0:
		first, last, _ := fvm.NetworkVersions()
		if s.net.is == nil {
			return kit.Usagef("which network version? Give --nv: neither the state's actors nor the chain id tell it")
		}
		v := s.net.is.VersionAt(s.epoch.is)
		if v < first || v > last {
			return kit.Usagef("which network version? Give --nv: the state's actors are in no bundle that is known, and epoch %d of %s is in version %d, which is not supported", s.epoch.is, s.net.is.Name, v)
		}
		s.version = said[gst.Version]{v, "by the epoch, as the state's actors are in no bundle that is known"}
		return nil
	}
	s.version = said[gst.Version]{fit[0], "by the state's actors, " + s.bundleName()}
	if s.net.is == nil {
		return nil
	}
	at := s.net.is.VersionAt(s.epoch.is)
	if at > fit[0] {
		s.version.is = min(at, fit[len(fit)-1])
	}
	if s.version.is != at {
		s.warn("epoch %d does not fit: on %s it is in network version %d, and %s; it runs by version %d, --nv names another", s.epoch.is, s.net.is.Name, at, known, s.version.is)
	} else if ours := s.net.is.Actors; !slices.ContainsFunc(s.names, func(name string) bool { return strings.HasSuffix(name, "/"+ours) }) {
		s.warn("the network does not fit: %s, and %s has bundles of %s; --network names another", known, s.net.is.Name, ours)
	}
	return nil
}

// bundle is the actors that have the code which the state lacks: those that were asked for, else those that the state names, else
// the network's.
func (s *setting) bundle(asked string) (version int, actors string, err error) {
	asked = cmp.Or(asked, s.bundleName())
	if asked != "" {
		return bundle.ParseName(asked)
	}
	if s.net.is != nil {
		return s.net.is.Bundle(s.version.is)
	}
	version, err = bundle.VersionFor(s.version.is)
	return version, "mainnet", err
}

// versions are versions in words: "version 27", "versions 28 and 29".
func versions(list []gst.Version) string {
	var all []string
	for _, v := range list {
		all = append(all, fmt.Sprint(v))
	}
	return layout.Plural(len(list), "version") + " " + strings.Join(all, " and ")
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
		if head != nil && n.GenesisTime == 0 { // the header's time tells the genesis'
			if back := uint64(head.Epoch) * n.BlockDelay; head.Timestamp > back {
				n, who = n.WithGenesis(cid.Undef, head.Timestamp-back), "by the header's time"
			}
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
