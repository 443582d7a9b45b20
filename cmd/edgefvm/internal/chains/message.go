package chains

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	gstnetwork "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/explain"
	explaintext "github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/node/textform"
)

// asking are the flags of message.
type asking struct {
	source
	at           int64
	data, asJSON bool
	abi          string
}

func newMessage() *cobra.Command {
	var x asking
	cmd := &cobra.Command{
		Use:   "message CHAIN CID|0xHASH",
		Short: "Explain a message of the chain, executed in its real place",
		Long: `Finds a message by its CID, with its signature or without, or by the hash that Ethereum's
tools have for it, and executes it in its real place: in its tipset, after the messages
before it, with the state, the base fee, the supply and the randomness that it had there.
It shows the calls with their gas, the events, and what changed in the state, as explain
does.

The message is looked for from the head down; --at says in which epoch it is. If the state of
its tipset is not in the archive, the tipsets below are executed first, from the highest one
whose state is there; --store keeps what they make. The exit code is 1 if its tipset does not
come to what the chain says; the message's own exit code is in what is printed.`,
		Example: `  edgefvm chain message chain.car.zst bafy2bz...
  edgefvm chain message chain.car.zst 0x3f2a... --abi Token.json --data
  edgefvm chain message chain.car.zst bafy2bz... --at 5803852 --json | jq .explained.calls`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if x.at < -1 {
				return kit.Usagef("--at is an epoch, 0 or more")
			}
			contracts, err := kit.LoadABI(x.abi)
			if err != nil {
				return err
			}
			defer x.close(&err)
			rest, err := x.open(cmd, args)
			if err != nil {
				return err
			}
			if len(rest) != 1 {
				return kit.Usagef("chain message takes CHAIN and one CID or 0xHASH")
			}
			want, err := x.wanted(cmd.Context(), rest[0])
			if err != nil {
				return err
			}
			v, x2, err := x.explain(cmd.Context(), want, actors.Decoders(actors.DecodersOptions{ABI: contracts}))
			if err != nil {
				return err
			}
			x.progress.End()
			if x.asJSON {
				err = kit.WriteJSON(cmd, v)
			} else {
				err = v.print(cmd, x2, x.data)
			}
			return kit.Verdict(err, false, len(v.Differences) == 0)
		},
	}
	x.flags(cmd)
	x.runFlags(cmd)
	f := cmd.Flags()
	f.Int64Var(&x.at, "at", -1, "`epoch` of the message's tipset (default: looked for)")
	f.BoolVar(&x.data, "data", false, "show parameters and returns")
	f.StringVar(&x.abi, "abi", "", "`file` with the ABI of the contracts: JSON, or an artefact of Hardhat or Foundry")
	f.BoolVar(&x.asJSON, "json", false, "print JSON")
	return cmd
}

// wanted is a message that is looked for.
type wanted struct {
	text    string
	cid     cid.Cid // undefined: by hash
	hash    [32]byte
	chainID uint64
}

// wanted reads a CID or a hash.
func (s *source) wanted(ctx context.Context, arg string) (*wanted, error) {
	w := &wanted{text: arg}
	if digits, is := strings.CutPrefix(strings.ToLower(arg), "0x"); is {
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) != len(w.hash) {
			return nil, kit.Usagef("%q is no hash: want 0x and 64 hex digits", arg)
		}
		copy(w.hash[:], b)
		n, _, err := s.chain.Network(ctx)
		if err != nil {
			return nil, err
		}
		w.chainID = n.ChainID
		return w, nil
	}
	c, err := textform.CID(arg)
	if err != nil {
		return nil, kit.Usagef("%q is neither a CID such as bafy2bz... nor a hash such as 0x3f2a...", arg)
	}
	w.cid = c
	return w, nil
}

// is tells whether a message is the one.
func (w *wanted) is(m *chain.Message) (bool, error) {
	if !w.cid.Defined() {
		// Only transactions are hashed otherwise than their CID says.
		h, err := textform.EthHash(m.CID, m.Message, m.Signature, w.chainID)
		return err == nil && h == w.hash, nil
	}
	if w.cid.Equals(m.CID) {
		return true, nil
	}
	if m.Signature == nil {
		return false, nil
	}
	c, err := bareCID(m)
	return err == nil && w.cid.Equals(c), err
}

// bareCID is the CID of a message without its signature.
func bareCID(m *chain.Message) (cid.Cid, error) {
	var b bytes.Buffer
	if err := m.Message.MarshalCBOR(&b); err != nil {
		return cid.Undef, err
	}
	return abi.CidBuilder.Sum(b.Bytes())
}

// messageView is a message in its place as JSON has it.
type messageView struct {
	CID         string              `json:"cid"`
	Bare        string              `json:"unsigned_cid,omitempty"`
	Eth         string              `json:"eth_hash,omitempty"`
	Signature   string              `json:"signature"`
	Network     string              `json:"network"`
	Version     gstnetwork.Version  `json:"network_version"`
	Epoch       abi.ChainEpoch      `json:"epoch"`
	Key         []string            `json:"tipset_key"`
	Blocks      []string            `json:"blocks"`
	Index       int                 `json:"index"`
	BaseFee     string              `json:"base_fee"`
	Before      string              `json:"state_root_before"`
	After       string              `json:"state_root_after"`
	Receipt     *receipt            `json:"receipt"`
	Explained   *explain.Message    `json:"explained"`
	Compared    bool                `json:"compared"`
	Differences []replay.Difference `json:"differences,omitempty"`
	Verdict     string              `json:"verdict,omitempty"`
}

// place is a tipset with the message in it, and the message as its blocks name it.
type place struct {
	tipset *chain.Tipset
	is     chain.Message
	blocks []string
}

// in looks for the message in a tipset; nil: it is not there.
func (s *source) in(ctx context.Context, w *wanted, t *chain.Tipset) (*place, error) {
	blocks, err := s.chain.Headers().TipsetMessages(ctx, t)
	if err != nil {
		return nil, err
	}
	var p *place
	for i, b := range blocks {
		for _, m := range b.All() {
			ok, err := w.is(&m)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			if p == nil {
				p = &place{tipset: t, is: m}
			}
			p.blocks = append(p.blocks, t.CIDs[i].String())
			break
		}
	}
	return p, nil
}

// explain finds the message, executes its tipset, and explains it.
func (x *asking) explain(ctx context.Context, w *wanted, decoders explain.Decoders) (*messageView, *explain.Explanation, error) {
	var passed *place
	t := x.chain.Line().Head()
	if x.at >= 0 {
		var err error
		if t, err = x.tipset(ctx, fmt.Sprint(x.at)); err != nil {
			return nil, nil, err
		}
	}
	for n := 1; t.Height() > 0; n++ {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		p, err := x.in(ctx, w, t)
		if format.IsNotFound(err) {
			return nil, nil, fmt.Errorf("message %s was not found down to epoch %d, whose messages are not all in the archive: %w", w.text, t.Height(), err)
		}
		if err != nil {
			return nil, nil, err
		}
		if p != nil {
			v, explained, err := x.inPlace(ctx, p, decoders)
			if v != nil || err != nil {
				return v, explained, err
			}
			passed = p
		}
		if x.at >= 0 {
			break
		}
		if n%1000 == 0 {
			x.progress.Line(fmt.Sprintf("looking for the message, at epoch %d", t.Height()))
		}
		if t, err = x.chain.Headers().Parent(ctx, t); err != nil {
			if format.IsNotFound(err) {
				return nil, nil, fmt.Errorf("message %s is not in the archive's part of the chain: %w", w.text, err)
			}
			return nil, nil, err
		}
	}
	switch {
	case passed != nil:
		return nil, nil, fmt.Errorf("message %s is in the tipset at epoch %d, but was not executed: another message of its sender with its nonce was, or its nonce did not follow", w.text, passed.tipset.Height())
	case x.at >= 0:
		return nil, nil, fmt.Errorf("message %s is not in the tipset at epoch %d", w.text, x.at)
	}
	return nil, nil, fmt.Errorf("message %s is not on the chain, from epoch %d down to the genesis", w.text, x.chain.Line().Head().Height())
}

// inPlace executes a message in a tipset; nil: it was not executed there.
func (x *asking) inPlace(ctx context.Context, p *place, decoders explain.Decoders) (*messageView, *explain.Explanation, error) {
	done, err := x.chain.Execute(ctx, p.tipset)
	if err != nil {
		return nil, nil, err
	}
	n, _, err := x.chain.Network(ctx)
	if err != nil {
		return nil, nil, err
	}
	index := -1
	for i, m := range done.Applied() {
		if m.CID.Equals(p.is.CID) {
			index = i
		}
	}
	if index < 0 {
		return nil, nil, nil
	}
	step, err := x.chain.Step(ctx, done, index)
	if err != nil {
		return nil, nil, err
	}
	m, err := explain.Trace(
		explain.Applied{Message: step.Message.Message, Kind: fvm.Explicit, Trace: step.Trace, Result: step.Result},
		explain.Options{ActorName: step.Machine.ActorName, EthAddress: explain.EthAddresses(ctx, step.Machine), NetworkVersion: done.Version, Decoders: decoders},
	)
	if err != nil {
		return nil, nil, err
	}
	if m.Changes, err = explain.Changes(ctx, step.States, step.Before, step.After, step.Machine.ActorName); err != nil {
		return nil, nil, fmt.Errorf("comparing states: %w", err)
	}
	v := &messageView{
		CID: p.is.CID.String(), Eth: ethHash(&p.is, n), Signature: signatureOf(p.is.Signature), Network: n.Name, Version: done.Version, Epoch: done.Epoch,
		Key: done.Blocks, Blocks: p.blocks, Index: index, BaseFee: done.BaseFee, Before: step.Before.String(), After: step.After.String(),
		Receipt: receiptOf(step.Result), Explained: m, Compared: done.Compared, Differences: done.Differences, Verdict: done.Verdict,
	}
	if p.is.Signature != nil {
		c, err := bareCID(&p.is)
		if err != nil {
			return nil, nil, err
		}
		v.Bare = c.String()
	}
	return v, &explain.Explanation{Vector: v.CID, NV: done.Version, Epoch: done.Epoch, Messages: []explain.Message{*m}, Root: v.After}, nil
}

// signatureOf names the signature of a message.
func signatureOf(s *crypto.Signature) string {
	if s == nil {
		return "bls, in the block's aggregate"
	}
	return textform.SignatureName(s.Type)
}

func (v *messageView) print(cmd *cobra.Command, x *explain.Explanation, data bool) error {
	w := cmd.OutOrStdout()
	if err := explaintext.Write(w, x, explaintext.Options{Columns: term.Columns(w), Colour: bool(term.NewPainter(w)), Data: data}); err != nil {
		return err
	}
	g := term.NewPage(w)
	g.Title("In the chain")
	line := func(name, format string, a ...any) {
		g.Line("  %s %s", layout.PadRight(name, 12), fmt.Sprintf(format, a...))
	}
	line("tipset", "epoch %d of %s, message %d, base fee %s attoFIL", v.Epoch, layout.OneLine(v.Network), v.Index+1, v.BaseFee)
	for _, b := range v.Blocks {
		line("block", "%s", b)
	}
	if v.Eth != "" {
		line("hash", "%s", v.Eth)
	}
	line("signature", "%s", v.Signature)
	verdict(g, v.Compared, v.Differences, v.Verdict)
	return g.Err
}
