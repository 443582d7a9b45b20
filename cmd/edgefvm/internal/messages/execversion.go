package messages

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

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
)

// findActors looks up which bundle's actors the state has.
func (x *execFlags) findActors(cmd *cobra.Command, s *setting, state *execState) error {
	ctx := cmd.Context()
	var err error
	if s.list, err = listOfActors(ctx, state.files, state.root); format.IsNotFound(err) {
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
