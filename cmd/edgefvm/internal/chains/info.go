package chains

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	gstnetwork "github.com/filecoin-project/go-state-types/network"
	format "github.com/ipfs/go-ipld-format"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
)

func newInfo() *cobra.Command {
	var s source
	var from int64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info CHAIN",
		Short: "Tell what an archive of a chain holds",
		Long: `Tells what an archive of a chain holds: the kind of file, the network, epochs, null rounds,
the head and the genesis, how many messages, and for which epochs there are states and
receipts. All headers and lists of messages are read; --from bounds that. Nothing is
executed.

States are those that the messages of an epoch run on; that one is there is told by its
root, so parts of it may be missing nevertheless.`,
		Example: `  edgefvm chain info chain.car.zst
  edgefvm chain info forest_snapshot.forest.car.zst --from 5000000 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if from < 0 {
				return kit.Usagef("--from is an epoch, 0 or more")
			}
			defer s.close(&err)
			rest, err := s.open(cmd, args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return kit.Usagef("chain info takes one CHAIN, and %q is another argument", rest[0])
			}
			v, err := s.info(cmd.Context(), abi.ChainEpoch(from))
			if err != nil {
				return err
			}
			s.progress.End()
			if asJSON {
				return kit.WriteJSON(cmd, v)
			}
			return v.print(cmd)
		},
	}
	s.flags(cmd)
	cmd.Flags().Int64Var(&from, "from", 0, "lowest `epoch` to read headers of (default: all that are there)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// span is epochs from one to another, both counted.
type span struct {
	From abi.ChainEpoch `json:"from"`
	To   abi.ChainEpoch `json:"to"`
}

// spans are put together from tipsets that come from above.
type spans struct {
	list []span
	open bool
}

func (s *spans) note(at abi.ChainEpoch, there bool) {
	switch {
	case there && s.open:
		s.list[len(s.list)-1].From = at
	case there:
		s.list = append(s.list, span{at, at})
	}
	s.open = there
}

// infoView is what an archive holds as JSON has it.
type infoView struct {
	File        string               `json:"file"`
	Kind        string               `json:"kind"`
	Bytes       int64                `json:"bytes"`
	F3          bool                 `json:"fast_finality"`
	Network     *string              `json:"network"`
	ChainID     uint64               `json:"chain_id,omitempty"`
	Notes       []string             `json:"notes,omitempty"`
	HeadAt      abi.ChainEpoch       `json:"head_epoch"`
	Head        []string             `json:"head"`
	Time        uint64               `json:"head_timestamp"`
	Genesis     *string              `json:"genesis"`
	GenesisTime uint64               `json:"genesis_timestamp,omitempty"`
	Lowest      abi.ChainEpoch       `json:"lowest_epoch"`
	Versions    []gstnetwork.Version `json:"network_versions,omitempty"`
	Tipsets     int                  `json:"tipsets"`
	NullRounds  int                  `json:"null_rounds"`
	Blocks      int                  `json:"blocks"`
	Messages    int                  `json:"messages"`
	InBlocks    int                  `json:"messages_in_blocks"`
	MessagesIn  []span               `json:"messages_epochs"`
	States      []span               `json:"states_epochs"`
	Receipts    []span               `json:"receipts_epochs"`
	Stopped     string               `json:"ends_because,omitempty"`
}

func (s *source) info(ctx context.Context, from abi.ChainEpoch) (*infoView, error) {
	head := s.chain.Line().Head()
	v := &infoView{File: s.path, HeadAt: head.Height(), Head: names(head.CIDs), Time: head.Timestamp()}
	var err error
	if v.Kind, v.Bytes, err = fileKind(s.path); err != nil {
		return nil, err
	}
	if _, h, err := s.archive.StateRoot(ctx, ""); err == nil && h != nil {
		v.F3 = h.F3
	}
	if err := s.count(ctx, v, head, from); err != nil {
		return nil, err
	}
	if n, notes, err := s.chain.Network(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		v.Notes = append(v.Notes, err.Error())
	} else {
		v.Network, v.ChainID, v.Notes = &n.Name, n.ChainID, append(v.Notes, notes...)
		v.Versions = versions(n, v.Lowest, v.HeadAt)
	}
	return v, nil
}

// versions are those of epochs from one to another, each once.
func versions(n *network.Network, from, to abi.ChainEpoch) []gstnetwork.Version {
	list := []gstnetwork.Version{n.VersionAt(from)}
	for _, u := range n.Upgrades {
		if u.Height >= from && u.Height < to {
			list = append(list, n.VersionAt(u.Height+1))
		}
	}
	return slices.Compact(list)
}

// count walks from the head down.
func (s *source) count(ctx context.Context, v *infoView, head *chain.Tipset, from abi.ChainEpoch) error {
	var messages, states, receipts spans
	headers := s.chain.Headers()
	none, err := chain.ReceiptsRoot(0, nil, nil)
	if err != nil {
		return err
	}
	for t := head; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.Lowest, v.Tipsets, v.Blocks = t.Height(), v.Tipsets+1, v.Blocks+len(t.Blocks)
		ok, err := s.chain.States().Has(ctx, t.ParentStateRoot())
		if err != nil {
			return err
		}
		states.note(t.Height(), ok)
		if t.Height() > 0 {
			if ok, err = v.messages(ctx, headers, t); err != nil {
				return err
			}
			messages.note(t.Height(), ok)
		}
		if v.Tipsets%1000 == 0 {
			s.progress.Line(fmt.Sprintf("reading headers and messages, at epoch %d", t.Height()))
		}
		if t.Height() == 0 {
			c := t.CIDs[0].String()
			v.Genesis, v.GenesisTime = &c, t.Timestamp()
			break
		}
		if t.Height() <= from {
			break
		}
		below, err := headers.Parent(ctx, t)
		if format.IsNotFound(err) {
			v.Stopped = err.Error()
			break
		}
		if err != nil {
			return err
		}
		if !t.ParentReceipts().Equals(none) { // which is an empty list, as of messages: it is in all archives
			if ok, err = s.chain.States().Has(ctx, t.ParentReceipts()); err != nil {
				return err
			}
			receipts.note(below.Height(), ok)
		}
		t = below
	}
	v.NullRounds = int(head.Height()-v.Lowest) - (v.Tipsets - 1)
	v.MessagesIn, v.States, v.Receipts = rising(messages.list), rising(states.list), rising(receipts.list)
	return nil
}

// rising puts spans in order, and is never nil.
func rising(list []span) []span {
	out := append([]span{}, list...)
	slices.Reverse(out)
	return out
}

// messages counts those of a tipset, if all of them are there.
func (v *infoView) messages(ctx context.Context, headers *chain.Store, t *chain.Tipset) (bool, error) {
	blocks, err := headers.TipsetMessages(ctx, t)
	if format.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, b := range blocks {
		v.InBlocks += len(b.BLS) + len(b.Secp)
	}
	v.Messages += len(distinct(blocks))
	return true, nil
}

// fileKind tells what a file is, by its first bytes.
func fileKind(path string) (kind string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	if info.IsDir() {
		return "store of pebble", 0, nil
	}
	start := make([]byte, 11)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", 0, err
	}
	start = start[:n]
	text := hex.EncodeToString(start)
	switch {
	case strings.HasPrefix(text, "1f8b"):
		kind = "CAR, compressed by gzip"
	case strings.HasPrefix(text, "28b52ffd"):
		kind = "CAR, compressed by zstd"
	case len(text) >= 8 && text[0] == '5' && text[2:8] == "2a4d18":
		kind = "CAR, compressed by zstd, with skippable frames"
	case bytes.HasPrefix(start, []byte("\x0a\xa1gversion\x02")):
		kind = "CAR version 2"
	default:
		kind = "CAR version 1"
	}
	return kind, info.Size(), nil
}

func (v *infoView) print(cmd *cobra.Command) error {
	g := term.NewPage(cmd.OutOrStdout())
	line := func(name, format string, a ...any) {
		g.Line("%s %s", layout.PadRight(name, 14), fmt.Sprintf(format, a...))
	}
	utc := func(t uint64) string { return time.Unix(int64(t), 0).UTC().Format(time.DateTime) + " UTC" }
	g.Line("%s", g.P.Bold(layout.OneLine(v.File)))
	kind := v.Kind
	if v.F3 {
		kind += ", a snapshot with data of F3"
	}
	line("file", "%s, %s bytes", kind, layout.Grouped(v.Bytes))
	name := "not known"
	if v.Network != nil {
		name = fmt.Sprintf("%s, chain id %d", layout.OneLine(*v.Network), v.ChainID)
	}
	line("network", "%s", name)
	if n := len(v.Versions); n == 1 {
		line("version", "%d", v.Versions[0])
	} else if n > 1 {
		line("versions", "%d to %d", v.Versions[0], v.Versions[n-1])
	}
	line("epochs", "%d to %d: %s tipsets of %s blocks, %s null rounds", v.Lowest, v.HeadAt, layout.Grouped(v.Tipsets), layout.Grouped(v.Blocks), layout.Grouped(v.NullRounds))
	line("head", "epoch %d, %s", v.HeadAt, utc(v.Time))
	for _, c := range v.Head {
		line("", "%s", c)
	}
	if v.Genesis != nil {
		line("genesis", "%s, %s", *v.Genesis, utc(v.GenesisTime))
	} else if v.Stopped != "" {
		line("genesis", "not in the file: %s", layout.OneLine(v.Stopped))
	}
	line("messages", "%s, in blocks %s; of %s", layout.Grouped(v.Messages), layout.Grouped(v.InBlocks), spansText(v.MessagesIn))
	line("states", "%s", spansText(v.States))
	line("receipts", "%s", spansText(v.Receipts))
	for _, n := range v.Notes {
		line("note", "%s", layout.OneLine(n))
	}
	return g.Err
}

// spansText is a list of epochs for people.
func spansText(list []span) string {
	if len(list) == 0 {
		return "no epoch"
	}
	var parts []string
	for i, s := range list {
		if i == 8 {
			parts = append(parts, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		if s.From == s.To {
			parts = append(parts, fmt.Sprint(s.From))
		} else {
			parts = append(parts, fmt.Sprintf("%d to %d", s.From, s.To))
		}
	}
	return "epochs " + strings.Join(parts, ", ")
}
