// Uses a node by Lotus's own Go client: ../../../client.sh puts this file into a module that requires Lotus. It is no part of the module
// ffi.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/api/client"
	"github.com/filecoin-project/lotus/api/v1api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/lib/sigs"
	_ "github.com/filecoin-project/lotus/lib/sigs/bls"
	_ "github.com/filecoin-project/lotus/lib/sigs/delegated"
	_ "github.com/filecoin-project/lotus/lib/sigs/secp"
)

// suite counts.
type suite struct {
	ctx            context.Context
	node           v1api.FullNode
	passed, failed int
}

func (s *suite) check(name string, f func() error) {
	err := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
		}()
		return f()
	}()
	if err != nil {
		s.failed++
		fmt.Printf("FAIL %s: %v\n", name, err)
		return
	}
	s.passed++
	fmt.Printf("ok   %s\n", name)
}

func want(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func main() {
	address.CurrentNetwork = address.Testnet
	host := os.Args[1] // 127.0.0.1:8545
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	s := &suite{ctx: ctx}
	for _, scheme := range []string{"http", "ws"} {
		node, closer, err := client.NewFullNodeRPCV1(ctx, scheme+"://"+host+"/rpc/v1", nil)
		if err != nil {
			fmt.Println("FAIL connecting:", err)
			os.Exit(1)
		}
		s.node = node
		s.reads(scheme)
		s.sends(scheme)
		if scheme == "ws" {
			s.streams()
		}
		closer()
	}
	s.others(host)
	fmt.Printf("passed %d of %d\n", s.passed, s.passed+s.failed)
	if s.failed > 0 {
		os.Exit(1)
	}
}

func (s *suite) reads(scheme string) {
	ctx, n := s.ctx, s.node
	named := func(name string) string { return scheme + " " + name }
	s.check(named("Version"), func() error {
		v, err := n.Version(ctx)
		if err != nil {
			return err
		}
		return want(v.APIVersion.EqMajorMinor(api.FullAPIVersion1), "version %s", v)
	})
	s.check(named("tipsets"), func() error {
		head, err := n.ChainHead(ctx)
		if err != nil {
			return err
		}
		again, err := n.ChainGetTipSet(ctx, head.Key())
		if err != nil || !again.Equals(head) {
			return fmt.Errorf("%v, %w", again, err)
		}
		genesis, err := n.ChainGetGenesis(ctx)
		if err != nil || genesis.Height() != 0 {
			return fmt.Errorf("%v, %w", genesis, err)
		}
		at, err := n.ChainGetTipSetByHeight(ctx, 0, head.Key())
		if err != nil || !at.Equals(genesis) {
			return fmt.Errorf("%v, %w", at, err)
		}
		// The header's hash is that of its bytes: no field was lost on the way.
		raw, err := n.ChainReadObj(ctx, head.Cids()[0])
		if err != nil {
			return err
		}
		data, err := head.Blocks()[0].Serialize()
		if err != nil {
			return err
		}
		if _, err := n.ChainTipSetWeight(ctx, head.Key()); err != nil {
			fmt.Println("     weight:", err) // without miners there is no power
		}
		path, err := n.ChainGetPath(ctx, genesis.Key(), head.Key())
		if err != nil || len(path) == 0 || path[len(path)-1].Type != "apply" {
			return fmt.Errorf("path %v, %w", path, err)
		}
		return want(bytes.Equal(raw, data), "the header has other bytes than the block")
	})
	s.check(named("state"), func() error {
		params, err := n.StateGetNetworkParams(ctx)
		if err != nil {
			return err
		}
		if v, err := n.StateNetworkVersion(ctx, types.EmptyTSK); err != nil || v < 18 {
			return fmt.Errorf("network version %d, %w", v, err)
		}
		a, err := n.StateGetActor(ctx, address.TestAddress, types.EmptyTSK)
		if err == nil {
			return fmt.Errorf("an actor that is not there: %v", a)
		}
		_, err = n.StateLookupID(ctx, address.TestAddress, types.EmptyTSK)
		var missing *api.ErrActorNotFound
		if !errors.As(err, &missing) {
			return fmt.Errorf("StateLookupID of nobody: %T %v", err, err)
		}
		market, _ := address.NewIDAddress(5)
		st, err := n.StateReadState(ctx, market, types.EmptyTSK)
		if err != nil {
			return err
		}
		if _, ok := st.State.(map[string]any)["Proposals"]; !ok {
			return fmt.Errorf("the market's state: %v", st.State)
		}
		if _, err := n.StateVMCirculatingSupplyInternal(ctx, types.EmptyTSK); err != nil {
			return err
		}
		if _, err := n.StateCirculatingSupply(ctx, types.EmptyTSK); err != nil {
			return err
		}
		return want(params.Eip155ChainID > 0, "%+v", params)
	})
	s.check(named("miners"), func() error {
		list, err := n.StateListMiners(ctx, types.EmptyTSK)
		if err != nil {
			return err
		}
		for _, m := range list {
			if _, err := n.StateMinerInfo(ctx, m, types.EmptyTSK); err != nil {
				return err
			}
			if _, err := n.StateMinerPower(ctx, m, types.EmptyTSK); err != nil {
				return err
			}
			if _, err := n.StateMinerProvingDeadline(ctx, m, types.EmptyTSK); err != nil {
				return err
			}
			if d, err := n.StateMinerDeadlines(ctx, m, types.EmptyTSK); err != nil || len(d) != 48 {
				return fmt.Errorf("%d deadlines, %w", len(d), err)
			}
			if sectors, err := n.StateMinerSectors(ctx, m, nil, types.EmptyTSK); err != nil || len(sectors) == 0 {
				return fmt.Errorf("sectors %v, %w", sectors, err)
			}
			if _, err := n.StateMinerAvailableBalance(ctx, m, types.EmptyTSK); err != nil {
				return err
			}
		}
		return nil
	})
	s.check(named("node"), func() error {
		if _, err := n.SyncState(ctx); err != nil {
			return err
		}
		if _, err := n.NodeStatus(ctx, true); err != nil {
			return err
		}
		if _, err := n.ID(ctx); err != nil {
			return err
		}
		if _, err := n.NetAddrsListen(ctx); err != nil {
			return err
		}
		if _, err := n.NetPeers(ctx); err != nil {
			return err
		}
		if _, err := n.MpoolGetConfig(ctx); err != nil {
			return err
		}
		p, err := n.AuthVerify(ctx, "")
		return errors.Join(err, want(len(p) == 4, "permissions %v", p))
	})
}

// push sends a message and waits for it.
func (s *suite) push(m *types.Message) (*types.SignedMessage, *api.MsgLookup, error) {
	sent, err := s.node.MpoolPushMessage(s.ctx, m, nil)
	if err != nil {
		return nil, nil, err
	}
	at, err := s.node.StateWaitMsg(s.ctx, sent.Cid(), 2, api.LookbackNoLimit, true)
	return sent, at, err
}

func (s *suite) sends(scheme string) {
	ctx, n := s.ctx, s.node
	s.check(scheme+" MpoolPushMessage", func() error {
		from, err := n.WalletDefaultAddress(ctx)
		if err != nil {
			return err
		}
		to, err := n.WalletNew(ctx, types.KTBLS)
		if err != nil {
			return err
		}
		sent, at, err := s.push(&types.Message{From: from, To: to, Value: types.FromFil(3)})
		if err != nil {
			return err
		}
		if at.Message != sent.Cid() || at.Receipt.ExitCode != 0 {
			return fmt.Errorf("%+v", at)
		}
		if err := sigs.Verify(&sent.Signature, from, sent.Message.Cid().Bytes()); err != nil {
			return err
		}
		balance, err := n.WalletBalance(ctx, to)
		if err != nil || !balance.Equals(types.FromFil(3)) {
			return fmt.Errorf("balance %v, %w", balance, err)
		}
		found, err := n.StateSearchMsg(ctx, types.EmptyTSK, sent.Cid(), api.LookbackNoLimit, true)
		if err != nil || found == nil || found.TipSet != at.TipSet {
			return fmt.Errorf("found %v, %w", found, err)
		}
		ts, err := n.ChainGetTipSet(ctx, at.TipSet)
		if err != nil {
			return err
		}
		list, err := n.ChainGetParentMessages(ctx, ts.Cids()[0])
		if err != nil || len(list) == 0 || list[0].Cid != sent.Cid() {
			return fmt.Errorf("parent messages %v, %w", list, err)
		}
		receipts, err := n.ChainGetParentReceipts(ctx, ts.Cids()[0])
		if err != nil || len(receipts) != len(list) || !receipts[0].Equals(&at.Receipt) {
			return fmt.Errorf("parent receipts %v, %w", receipts, err)
		}
		replayed, err := n.StateReplay(ctx, types.EmptyTSK, sent.Cid())
		if err != nil || replayed.MsgRct.GasUsed != at.Receipt.GasUsed || replayed.ExecutionTrace.Msg.To != to {
			return fmt.Errorf("replay %+v, %w", replayed, err)
		}
		// A BLS key's message.
		_, back, err := s.push(&types.Message{From: to, To: from, Value: types.FromFil(1)})
		if err != nil {
			return err
		}
		return want(back.Receipt.ExitCode == 0, "%+v", back)
	})
	s.check(scheme+" MpoolPush", func() error {
		list, err := n.WalletList(ctx)
		if err != nil {
			return err
		}
		m, err := n.GasEstimateMessageGas(ctx, &types.Message{From: list[1], To: list[2], Value: big.NewInt(5)}, nil, types.EmptyTSK)
		if err != nil {
			return err
		}
		if m.Nonce, err = n.MpoolGetNonce(ctx, list[1]); err != nil {
			return err
		}
		key, err := n.WalletExport(ctx, list[1])
		if err != nil {
			return err
		}
		sig, err := sigs.Sign(crypto.SigTypeSecp256k1, key.PrivateKey, m.Cid().Bytes())
		if err != nil {
			return err
		}
		c, err := n.MpoolPush(ctx, &types.SignedMessage{Message: *m, Signature: *sig})
		if err != nil {
			return err
		}
		at, err := n.StateWaitMsg(ctx, c, 1, api.LookbackNoLimit, true)
		if err != nil {
			return err
		}
		if at.Receipt.GasUsed > m.GasLimit || m.GasLimit > at.Receipt.GasUsed*13/10 {
			return fmt.Errorf("a limit of %d for %d gas", m.GasLimit, at.Receipt.GasUsed)
		}
		// Another signature is refused.
		sig.Data[5] ^= 1
		m.Nonce++
		_, err = n.MpoolPush(ctx, &types.SignedMessage{Message: *m, Signature: *sig})
		return want(err != nil, "a wrong signature was taken")
	})
	s.check(scheme+" StateCall", func() error {
		from, _ := n.WalletDefaultAddress(ctx)
		to, _ := address.NewIDAddress(1)
		res, err := n.StateCall(ctx, &types.Message{From: from, To: to, Value: big.Zero(), Method: 99}, types.EmptyTSK)
		if err != nil {
			return err
		}
		return want(res.MsgRct.ExitCode == 22 && res.Error != "" && len(res.ExecutionTrace.GasCharges) > 0, "%+v", res.MsgRct)
	})
	s.check(scheme+" multisig", func() error {
		list, err := n.WalletList(ctx)
		if err != nil {
			return err
		}
		proto, err := n.MsigCreate(ctx, 2, list[:2], 0, types.FromFil(4), list[0], big.Zero())
		if err != nil {
			return err
		}
		_, at, err := s.push(&proto.Message)
		if err != nil {
			return err
		}
		made, ok := at.ReturnDec.(map[string]any)
		if !ok {
			return fmt.Errorf("returned %v", at.ReturnDec)
		}
		msig, err := address.NewFromString(made["IDAddress"].(string))
		if err != nil {
			return err
		}
		proto, err = n.MsigPropose(ctx, msig, list[3], types.FromFil(1), list[0], 0, nil)
		if err != nil {
			return err
		}
		if _, _, err = s.push(&proto.Message); err != nil {
			return err
		}
		pending, err := n.MsigGetPending(ctx, msig, types.EmptyTSK)
		if err != nil || len(pending) != 1 {
			return fmt.Errorf("pending %v, %w", pending, err)
		}
		proto, err = n.MsigApproveTxnHash(ctx, msig, uint64(pending[0].ID), list[0], list[3], types.FromFil(1), list[1], 0, nil)
		if err != nil {
			return err
		}
		if _, at, err = s.push(&proto.Message); err != nil {
			return err
		}
		balance, err := n.MsigGetAvailableBalance(ctx, msig, types.EmptyTSK)
		if err != nil || !balance.Equals(types.FromFil(3)) {
			return fmt.Errorf("balance %v, %w", balance, err)
		}
		return nil
	})
	s.check(scheme+" errors", func() error {
		list, _ := n.WalletList(ctx)
		_, err := n.MpoolPushMessage(ctx, &types.Message{From: list[0], To: list[1], Value: types.FromFil(1 << 30)}, nil)
		if err == nil {
			return errors.New("more than there is was sent")
		}
		to, _ := address.NewIDAddress(1)
		_, err = n.GasEstimateGasLimit(ctx, &types.Message{From: list[0], To: to, Value: big.Zero(), Method: 99}, types.EmptyTSK)
		var reverted *api.ErrExecutionReverted
		return want(errors.As(err, &reverted), "an estimate of what fails: %T %v", err, err)
	})
}

func (s *suite) streams() {
	ctx, n := s.ctx, s.node
	s.check("ChainNotify", func() error {
		heads, err := n.ChainNotify(ctx)
		if err != nil {
			return err
		}
		first := <-heads
		if len(first) != 1 || first[0].Type != "current" {
			return fmt.Errorf("first %v", first)
		}
		at := first[0].Val
		list, _ := n.WalletList(ctx)
		for i := range 3 {
			if _, _, err := s.push(&types.Message{From: list[0], To: list[1], Value: abi.NewTokenAmount(int64(i))}); err != nil {
				return err
			}
			for done := false; !done; {
				select {
				case changes, ok := <-heads:
					if !ok {
						return errors.New("the channel was closed")
					}
					for _, c := range changes {
						switch c.Type {
						case "revert":
							if !c.Val.Equals(at) {
								return fmt.Errorf("reverted %s, the head was %s", c.Val.Key(), at.Key())
							}
							if at, err = n.ChainGetTipSet(ctx, at.Parents()); err != nil {
								return err
							}
						case "apply":
							if c.Val.Parents() != at.Key() {
								return fmt.Errorf("applied %s upon %s, the head was %s", c.Val.Key(), c.Val.Parents(), at.Key())
							}
							at = c.Val
						}
					}
					done = true
				case <-time.After(20 * time.Second):
					return errors.New("nothing was told")
				}
			}
		}
		return nil
	})
	s.check("MpoolSub", func() error {
		sub, cancel := context.WithCancel(ctx)
		defer cancel()
		updates, err := n.MpoolSub(sub)
		if err != nil {
			return err
		}
		list, _ := n.WalletList(ctx)
		sent, _, err := s.push(&types.Message{From: list[0], To: list[1], Value: big.NewInt(9)})
		if err != nil {
			return err
		}
		for range 2 {
			select {
			case u := <-updates:
				if u.Message.Cid() != sent.Cid() {
					return fmt.Errorf("told of %s, sent %s", u.Message.Cid(), sent.Cid())
				}
			case <-time.After(20 * time.Second):
				return errors.New("nothing was told")
			}
		}
		return nil
	})
}

func (s *suite) others(host string) {
	ctx := s.ctx
	s.check("v0", func() error {
		old, closer, err := client.NewFullNodeRPCV0(ctx, "http://"+host+"/rpc/v0", nil)
		if err != nil {
			return err
		}
		defer closer()
		v, err := old.Version(ctx)
		if err != nil || !v.APIVersion.EqMajorMinor(api.FullAPIVersion0) {
			return fmt.Errorf("%v, %w", v, err)
		}
		head, err := old.ChainHead(ctx)
		if err != nil {
			return err
		}
		below, err := old.ChainGetParentMessages(ctx, head.Cids()[0])
		if err != nil || len(below) == 0 {
			return fmt.Errorf("%v, %w", below, err)
		}
		at, err := old.StateSearchMsg(ctx, below[0].Cid)
		if err != nil || at == nil {
			return fmt.Errorf("%v, %w", at, err)
		}
		_, err = old.ChainGetRandomnessFromTickets(ctx, head.Key(), crypto.DomainSeparationTag_TicketProduction, head.Height(), nil)
		return err
	})
	s.check("v2", func() error {
		two, closer, err := client.NewFullNodeRPCV2(ctx, "http://"+host+"/rpc/v2", nil)
		if err != nil {
			return err
		}
		defer closer()
		head, err := two.ChainGetTipSet(ctx, types.TipSetSelectors.Latest)
		if err != nil {
			return err
		}
		if _, err := two.ChainGetTipSet(ctx, types.TipSetSelectors.Finalized); err != nil {
			return err
		}
		at, err := two.ChainGetTipSet(ctx, types.TipSetSelectors.Height(1, true, types.TipSetAnchors.Latest))
		if err != nil || at.Height() != 1 {
			return fmt.Errorf("%v, %w", at, err)
		}
		burnt, _ := address.NewIDAddress(99)
		if _, err := two.StateGetActor(ctx, burnt, types.TipSetSelectors.Key(head.Key())); err != nil {
			return err
		}
		_, err = two.StateGetID(ctx, burnt, types.TipSetSelectors.Latest)
		return err
	})
}
