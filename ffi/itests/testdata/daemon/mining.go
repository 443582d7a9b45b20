package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ffi "github.com/filecoin-project/filecoin-ffi"
	"github.com/ipfs/go-cid"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/actors"
	"github.com/filecoin-project/lotus/chain/gen"
	lrand "github.com/filecoin-project/lotus/chain/rand"
	"github.com/filecoin-project/lotus/chain/types"
)

// finality is how many epochs power and sectors of a winner are looked up before its block.
const finality = 900

// chain is a node whose miner makes real proofs, block by block as it is told.
type chain struct {
	*node
	rust   *rust
	worker address.Address
	nonce  uint64
	last   []byte // the winning PoSt of the last block
	tally  tally
}

// tally counts what the daemon took and refused.
type tally struct {
	blocks, blocksRefused     int
	messages, messagesRefused int
}

// entropy is the miner's address, as it goes into randomness.
func entropy() []byte {
	var b bytes.Buffer
	_ = maddr.MarshalCBOR(&b)
	return b.Bytes()
}

// lookback is the tipset whose parent state decides on the winners of a round.
func (n *chain) lookback(ctx context.Context, base *types.TipSet, round abi.ChainEpoch) (types.TipSetKey, error) {
	at := max(0, round-finality)
	if at >= base.Height() {
		return base.Key(), nil
	}
	ts, err := n.ChainGetTipSetByHeight(ctx, at, base.Key())
	if err != nil {
		return types.EmptyTSK, err
	}
	if ts, err = n.ChainGetTipSetAfterHeight(ctx, ts.Height()+1, base.Key()); err != nil {
		return types.EmptyTSK, err
	}
	return ts.Key(), nil
}

// ticket is the head of a block: what it draws from the beacon, and whether it wins.
type ticket struct {
	api.BlockTemplate
	challenge []byte // of the winning PoSt
	state     types.TipSetKey
}

// draw is the ticket of a round, nil if the round is not won.
func (n *chain) draw(ctx context.Context, base *types.TipSet, round abi.ChainEpoch) (*ticket, error) {
	state, err := n.lookback(ctx, base, round)
	if err != nil {
		return nil, err
	}
	power, err := n.StateMinerPower(ctx, maddr, state)
	if err != nil {
		return nil, err
	}
	info := &api.MiningBaseInfo{MinerPower: power.MinerPower.QualityAdjPower, NetworkPower: power.TotalPower.QualityAdjPower, WorkerKey: n.worker}
	t := &ticket{state: state, BlockTemplate: api.BlockTemplate{
		Miner: maddr, Parents: base.Key(), Epoch: round,
		Timestamp: base.MinTimestamp() + buildconstants.BlockDelaySecs*uint64(round-base.Height()),
	}}
	var before uint64
	if all := base.Blocks()[0].BeaconEntries; len(all) > 0 {
		before = all[len(all)-1].Round
	}
	for e := base.Height() + 1; e <= round; e++ {
		if v := n.entry(e); v.Round != before {
			t.BeaconValues = append(t.BeaconValues, v)
		}
	}
	beacon := t.BeaconValues[len(t.BeaconValues)-1]
	if t.Eproof, err = gen.IsRoundWinner(ctx, round, maddr, beacon, info, n.FullNode); err != nil || t.Eproof == nil {
		return nil, err
	}
	chained := append(entropy(), base.MinTicket().VRFProof...)
	input, err := lrand.DrawRandomnessFromBase(beacon.Data, crypto.DomainSeparationTag_TicketProduction, round-buildconstants.TicketRandomnessLookback, chained)
	if err != nil {
		return nil, err
	}
	vrf, err := gen.ComputeVRF(ctx, n.WalletSign, n.worker, input)
	if err != nil {
		return nil, err
	}
	t.Ticket = &types.Ticket{VRFProof: vrf}
	t.challenge, err = lrand.DrawRandomnessFromBase(beacon.Data, crypto.DomainSeparationTag_WinningPoStChallengeSeed, round, entropy())
	return t, err
}

// win makes the winning PoSt of a ticket.
func (n *chain) win(ctx context.Context, t *ticket) ([]byte, error) {
	sectors, err := n.StateMinerActiveSectors(ctx, maddr, t.state)
	if err != nil {
		return nil, err
	}
	randomness := slices.Clone(t.challenge)
	randomness[31] &= 0x3f
	chosen, err := ffi.GenerateWinningPoStSectorChallenge(abi.RegisteredPoStProof_StackedDrgWinning2KiBV1, minerID, randomness, uint64(len(sectors)))
	if err != nil {
		return nil, err
	}
	return n.rust.post(true, t.challenge, sectors[chosen[0]].SealedCID)
}

// spoiled are a proof's neighbours that no verifier may take.
func spoiled(good, old []byte) map[string][]byte {
	flip := func(bit int) []byte {
		b := slices.Clone(good)
		b[bit/8] ^= 1 << (bit % 8)
		return b
	}
	all := map[string][]byte{
		"the sign of A flipped": flip(5), "the sign of C flipped": flip(144*8 + 5), "a bit of B flipped": flip(700),
		"cut": good[:len(good)-1], "none": nil, "text": []byte("valid proof"),
	}
	if old != nil {
		all["the proof before"] = old
	}
	return all
}

// mine adds a block to the head, at a height or at the next that is won. Blocks with spoiled proofs go to the daemon
// first, which must refuse each because of its winning PoSt.
func (n *chain) mine(ctx context.Context, height abi.ChainEpoch, messages ...*types.SignedMessage) (*types.TipSet, error) {
	base, err := n.ChainHead(ctx)
	if err != nil {
		return nil, err
	}
	// Between two blocks are fewer epochs than a winner is looked up before.
	for height-base.Height() >= finality {
		if base, err = n.mine(ctx, base.Height()+finality-100); err != nil {
			return nil, err
		}
	}
	var t *ticket
	for round := max(height, base.Height()+1); t == nil; round++ {
		if t, err = n.draw(ctx, base, round); err != nil {
			return nil, err
		}
	}
	t.Messages = messages
	good, err := n.win(ctx, t)
	if err != nil {
		return nil, err
	}
	for name, proofBytes := range spoiled(good, n.last) {
		err := n.submit(ctx, t, proofBytes)
		if err == nil {
			return nil, fmt.Errorf("epoch %d: a block whose winning PoSt is spoiled (%s) was taken", t.Epoch, name)
		}
		if !strings.Contains(err.Error(), "election post") {
			return nil, fmt.Errorf("epoch %d, winning PoSt spoiled (%s): refused for another reason: %w", t.Epoch, name, err)
		}
		n.tally.blocksRefused++
	}
	if err := n.submit(ctx, t, good); err != nil {
		return nil, fmt.Errorf("epoch %d: %w", t.Epoch, err)
	}
	n.last = good
	n.tally.blocks++
	head, err := n.ChainHead(ctx)
	if err == nil && head.Height() != t.Epoch {
		err = fmt.Errorf("the head is at epoch %d, not at %d", head.Height(), t.Epoch)
	}
	return head, err
}

func (n *chain) submit(ctx context.Context, t *ticket, winning []byte) error {
	template := t.BlockTemplate
	template.WinningPoStProof = []proof.PoStProof{{PoStProof: abi.RegisteredPoStProof_StackedDrgWinning2KiBV1, ProofBytes: winning}}
	block, err := n.MinerCreateBlock(ctx, &template)
	if err != nil {
		return err
	}
	return n.SyncSubmitBlock(ctx, block)
}

// request is a message to the miner actor, and the exit code that it must have.
type request struct {
	what   string
	method abi.MethodNum
	params cbg.CBORMarshaler
	value  abi.TokenAmount
	want   exitcode.ExitCode
}

// run puts calls into a block, and mines another one for their receipts.
func (n *chain) run(ctx context.Context, height abi.ChainEpoch, calls ...request) error {
	var messages []*types.SignedMessage
	for _, c := range calls {
		params, aerr := actors.SerializeParams(c.params)
		if aerr != nil {
			return aerr
		}
		value := c.value
		if value.Nil() {
			value = big.Zero()
		}
		m := &types.Message{From: n.worker, To: maddr, Value: value, Method: c.method, Params: params, Nonce: n.nonce, GasLimit: 1_000_000_000, GasFeeCap: big.NewInt(1e10), GasPremium: big.NewInt(1e5)}
		signed, err := n.WalletSignMessage(ctx, n.worker, m)
		if err != nil {
			return err
		}
		messages = append(messages, signed)
		n.nonce++
	}
	in, err := n.mine(ctx, height, messages...)
	if err != nil {
		return err
	}
	head, err := n.mine(ctx, 0)
	if err != nil {
		return err
	}
	receipts, err := n.receipts(ctx, head)
	if err != nil {
		return err
	}
	for i, c := range calls {
		r, ok := receipts[messages[i].Cid()]
		switch {
		case !ok:
			err = errors.Join(err, fmt.Errorf("%s: no receipt", c.what))
		case r.ExitCode != c.want:
			err = errors.Join(err, fmt.Errorf("%s: exit code %d, not %d%s", c.what, r.ExitCode, c.want, n.reason(ctx, messages[i].Cid())))
		case c.want == exitcode.Ok:
			n.tally.messages++
		default:
			n.tally.messagesRefused++
		}
		fmt.Printf("epoch %d: %s: exit code %d\n", in.Height(), c.what, r.ExitCode)
	}
	return err
}

// reason is what actors said about a message.
func (n *chain) reason(ctx context.Context, message cid.Cid) string {
	again, err := n.StateReplay(ctx, types.EmptyTSK, message)
	if err != nil {
		return ": " + err.Error()
	}
	return ": " + again.Error
}

// receipts are those of a tipset's parent, by message.
func (n *chain) receipts(ctx context.Context, ts *types.TipSet) (map[cid.Cid]types.MessageReceipt, error) {
	block := ts.Cids()[0]
	messages, err := n.ChainGetParentMessages(ctx, block)
	if err != nil {
		return nil, err
	}
	receipts, err := n.ChainGetParentReceipts(ctx, block)
	if err != nil {
		return nil, err
	}
	all := map[cid.Cid]types.MessageReceipt{}
	for i, m := range messages {
		all[m.Cid] = *receipts[i]
		all[m.Message.Cid()] = *receipts[i]
	}
	return all, nil
}
