// Command daemon drives a development network of Lotus's own daemon over its JSON-RPC: devnet.sh puts it into a module
// that requires Lotus. It is no part of the module ffi.
//
//	daemon genesis DIR          writes DIR/genesis.json, a template with one miner, and its keys
//	daemon run DIR REPO TIME    mines and sends messages for TIME to the daemon whose repository is REPO
//	daemon genesis-sealed DIR PROVER  the same genesis with sectors that lab/prover seals
//	daemon judged DIR REPO PROVER     real proofs and spoiled ones, to a daemon that judges them
//
// Blocks are made by Lotus's package miner. Two things come from here, as no network is at hand: proofs, which a
// daemon with the build tag debug accepts if they say so, and values of the random beacon, which it does not check if
// LOTUS_IGNORE_DRAND says so.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ipfs/go-datastore"
	ic "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/crypto/blake2b"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	minertypes "github.com/filecoin-project/go-state-types/builtin/v9/miner"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/api/client"
	"github.com/filecoin-project/lotus/api/v1api"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/actors"
	"github.com/filecoin-project/lotus/chain/beacon"
	"github.com/filecoin-project/lotus/chain/beacon/drand"
	"github.com/filecoin-project/lotus/chain/gen"
	"github.com/filecoin-project/lotus/chain/gen/slashfilter"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/filecoin-project/lotus/chain/wallet/key"
	"github.com/filecoin-project/lotus/genesis"
	"github.com/filecoin-project/lotus/journal"
	"github.com/filecoin-project/lotus/lib/sigs"
	_ "github.com/filecoin-project/lotus/lib/sigs/bls"
	_ "github.com/filecoin-project/lotus/lib/sigs/delegated"
	_ "github.com/filecoin-project/lotus/lib/sigs/secp"
	"github.com/filecoin-project/lotus/miner"
	"github.com/filecoin-project/lotus/node/modules/dtypes"
	"github.com/filecoin-project/lotus/storage/sealer/mock"
)

var maddr, _ = address.NewIDAddress(1000)

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "genesis":
		err = makeGenesis(os.Args[2])
	case len(os.Args) == 5 && os.Args[1] == "run":
		err = run(os.Args[2], os.Args[3], os.Args[4])
	case len(os.Args) == 4 && os.Args[1] == "genesis-sealed":
		err = genesisSealed(os.Args[2], os.Args[3])
	case len(os.Args) == 5 && os.Args[1] == "judged":
		err = runJudged(os.Args[2], os.Args[3], os.Args[4])
	default:
		err = errors.New("usage: daemon genesis DIR | daemon run DIR REPO TIME | daemon genesis-sealed DIR PROVER | daemon judged DIR REPO PROVER")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL", err)
		os.Exit(1)
	}
}

// keys of the network: the worker of the miner, and a user.
type keys struct{ Worker, User *types.KeyInfo }

func makeGenesis(dir string) error {
	m, worker, err := mock.PreSeal(abi.RegisteredSealProof_StackedDrg2KiBV1_1, maddr, 2)
	if err != nil {
		return err
	}
	_, id, err := ic.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return err
	}
	if m.PeerId, err = peer.IDFromPublicKey(id); err != nil {
		return err
	}
	user, err := key.GenerateKey(types.KTSecp256k1)
	if err != nil {
		return err
	}
	// A little in the past, so that blocks are due once the daemon is up.
	if err := writeTemplate(dir, m, user.Address, uint64(time.Now().Unix())-2*buildconstants.BlockDelaySecs); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, "keys.json"), keys{Worker: worker, User: &user.KeyInfo})
}

// writeTemplate writes DIR/genesis.json: a network with one miner, and a user with money, that started at a time.
func writeTemplate(dir string, m *genesis.Miner, user address.Address, started uint64) error {
	account := func(a address.Address) genesis.Actor {
		return genesis.Actor{Type: genesis.TAccount, Balance: big.Mul(big.NewInt(50_000_000), big.NewInt(1e18)), Meta: (&genesis.AccountMeta{Owner: a}).ActorMeta()}
	}
	template := genesis.Template{
		NetworkVersion:   buildconstants.GenesisNetworkVersion,
		Accounts:         []genesis.Actor{account(m.Worker), account(user)},
		Miners:           []genesis.Miner{*m},
		NetworkName:      "edgefvm-devnet",
		Timestamp:        started,
		VerifregRootKey:  gen.DefaultVerifregRootkeyActor,
		RemainderAccount: gen.DefaultRemainderAccountActor,
	}
	return writeJSON(filepath.Join(dir, "genesis.json"), template)
}

func writeJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o600)
}

// prover gives the proof that a daemon with insecure validation accepts.
type prover struct{}

func (prover) GenerateCandidates(context.Context, abi.PoStRandomness, uint64) ([]uint64, error) {
	return []uint64{0}, nil
}

func (prover) ComputeProof(context.Context, []proof.ExtendedSectorInfo, abi.PoStRandomness, abi.ChainEpoch, network.Version) ([]proof.PoStProof, error) {
	return []proof.PoStProof{{ProofBytes: []byte("valid proof")}}, nil
}

// node is the daemon, with values of the beacon from here: each is a hash of its round, and rounds are as Drand counts.
type node struct {
	v1api.FullNode
	rounds beacon.RandomBeacon
	start  *types.TipSet
}

func (n *node) entry(epoch abi.ChainEpoch) types.BeaconEntry {
	round := n.rounds.MaxBeaconRoundForEpoch(buildconstants.GenesisNetworkVersion, epoch)
	sum := blake2b.Sum256(binary.BigEndian.AppendUint64(nil, round))
	return types.BeaconEntry{Round: round, Data: sum[:]}
}

func (n *node) StateGetBeaconEntry(_ context.Context, epoch abi.ChainEpoch) (*types.BeaconEntry, error) {
	e := n.entry(epoch)
	return &e, nil
}

// MinerGetBaseInfo is what the daemon would answer. Power is that of the genesis: the network's lookback of 900 epochs
// reaches there.
func (n *node) MinerGetBaseInfo(ctx context.Context, m address.Address, round abi.ChainEpoch, tsk types.TipSetKey) (*api.MiningBaseInfo, error) {
	ts, err := n.ChainGetTipSet(ctx, tsk)
	if err != nil {
		return nil, err
	}
	power, err := n.StateMinerPower(ctx, m, n.start.Key())
	if err != nil {
		return nil, err
	}
	now, err := n.StateMinerPower(ctx, m, tsk)
	if err != nil {
		return nil, err
	}
	info, err := n.StateMinerInfo(ctx, m, tsk)
	if err != nil {
		return nil, err
	}
	worker, err := n.StateAccountKey(ctx, info.Worker, tsk)
	if err != nil {
		return nil, err
	}
	base := &api.MiningBaseInfo{
		MinerPower: power.MinerPower.QualityAdjPower, NetworkPower: power.TotalPower.QualityAdjPower, WorkerKey: worker,
		SectorSize: info.SectorSize, EligibleForMining: now.HasMinPower,
	}
	if last := ts.Blocks()[0].BeaconEntries; len(last) > 0 {
		base.PrevBeaconEntry = last[len(last)-1]
	}
	for e := ts.Height() + 1; e <= round; e++ {
		if v := n.entry(e); v.Round != base.PrevBeaconEntry.Round {
			base.BeaconEntries = append(base.BeaconEntries, v)
		}
	}
	return base, nil
}

// connect dials the daemon once it is up.
func connect(ctx context.Context, repo string) (v1api.FullNode, error) {
	for {
		token, err := os.ReadFile(filepath.Join(repo, "token"))
		if err == nil {
			var at []byte
			if at, err = os.ReadFile(filepath.Join(repo, "api")); err == nil {
				part := strings.Split(strings.TrimSpace(string(at)), "/") // /ip4/HOST/tcp/PORT/http
				var full v1api.FullNode
				if len(part) < 5 { // it is about to be written
					err = fmt.Errorf("address of the daemon: %q", at)
				} else if full, _, err = client.NewFullNodeRPCV1(ctx, "http://"+part[2]+":"+part[4]+"/rpc/v1", http.Header{"Authorization": {"Bearer " + string(token)}}); err == nil {
					if _, err = full.ChainHead(ctx); err == nil {
						return full, nil
					}
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no daemon: %w", err)
		case <-time.After(time.Second):
		}
	}
}

func run(dir, repo, length string) error {
	d, err := time.ParseDuration(length)
	if err != nil {
		return err
	}
	up, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	defer stop()
	full, err := connect(up, repo)
	if err != nil {
		return err
	}
	ctx := context.Background()
	b, err := os.ReadFile(filepath.Join(dir, "keys.json"))
	if err != nil {
		return err
	}
	var k keys
	if err := json.Unmarshal(b, &k); err != nil {
		return err
	}
	if _, err := wallet(ctx, full, k.Worker); err != nil {
		return err
	}
	user, err := wallet(ctx, full, k.User)
	if err != nil {
		return err
	}
	start, err := full.ChainGetGenesis(ctx)
	if err != nil {
		return err
	}
	rounds, err := drand.NewDrandBeacon(start.MinTimestamp(), buildconstants.BlockDelaySecs, nil, dtypes.DrandConfig(buildconstants.DrandConfigs[buildconstants.DrandQuicknet]))
	if err != nil {
		return err
	}
	n := &node{full, rounds, start}
	m := miner.NewMiner(n, prover{}, maddr, slashfilter.New(datastore.NewMapDatastore()), journal.NilJournal())
	if err := m.Start(ctx); err != nil {
		return err
	}
	go n.provePower(ctx)
	return n.traffic(ctx, d, user)
}

// wallet puts a key into the daemon's wallet, unless an earlier run did.
func wallet(ctx context.Context, full v1api.FullNode, info *types.KeyInfo) (address.Address, error) {
	k, err := key.NewKey(*info)
	if err != nil {
		return address.Undef, err
	}
	if has, err := full.WalletHas(ctx, k.Address); has || err != nil {
		return k.Address, err
	}
	return full.WalletImport(ctx, info)
}

// provePower submits the window PoSt of each deadline that opens. The network takes such a proof on trust until
// somebody disputes it, and nobody does here.
func (n *node) provePower(ctx context.Context) {
	done := abi.ChainEpoch(-1)
	for ; ; time.Sleep(2 * time.Second) {
		if opened, err := n.proveDeadline(ctx, done); err != nil {
			fmt.Fprintln(os.Stderr, "window PoSt:", err)
		} else {
			done = opened
		}
	}
}

func (n *node) proveDeadline(ctx context.Context, done abi.ChainEpoch) (abi.ChainEpoch, error) {
	head, err := n.ChainHead(ctx)
	if err != nil {
		return done, err
	}
	di, err := n.StateMinerProvingDeadline(ctx, maddr, head.Key())
	if err != nil || di.Open == done || !di.IsOpen() {
		return done, err
	}
	partitions, err := n.StateMinerPartitions(ctx, maddr, di.Index, head.Key())
	if err != nil {
		return done, err
	}
	info, err := n.StateMinerInfo(ctx, maddr, head.Key())
	if err != nil {
		return done, err
	}
	ticket, err := n.StateGetRandomnessFromTickets(ctx, crypto.DomainSeparationTag_PoStChainCommit, di.Challenge, nil, head.Key())
	if err != nil {
		return done, err
	}
	for i, p := range partitions {
		if empty, err := p.LiveSectors.IsEmpty(); err != nil || empty {
			continue
		}
		params, aerr := actors.SerializeParams(&minertypes.SubmitWindowedPoStParams{
			Deadline: di.Index, Partitions: []minertypes.PoStPartition{{Index: uint64(i), Skipped: bitfield.New()}},
			Proofs:           []proof.PoStProof{{PoStProof: info.WindowPoStProofType, ProofBytes: []byte("valid proof")}},
			ChainCommitEpoch: di.Challenge, ChainCommitRand: ticket,
		})
		if aerr != nil {
			return done, aerr
		}
		sm, err := n.MpoolPushMessage(ctx, &types.Message{From: info.Worker, To: maddr, Value: big.Zero(), Method: builtin.MethodsMiner.SubmitWindowedPoSt, Params: params}, nil)
		if err != nil {
			return done, err
		}
		fmt.Printf("window PoSt of deadline %d in %s\n", di.Index, sm.Cid())
	}
	return di.Open, nil
}

// account is an account of Ethereum, whose key is here.
type account struct {
	*node
	key   *key.Key
	addr  ethtypes.EthAddress
	fil   address.Address
	nonce int
}

func (n *node) newAccount() (*account, error) {
	k, err := key.GenerateKey(types.KTSecp256k1)
	if err != nil {
		return nil, err
	}
	raw, err := ethtypes.EthAddressFromPubKey(k.PublicKey)
	if err != nil {
		return nil, err
	}
	a, err := ethtypes.CastEthAddress(raw)
	if err != nil {
		return nil, err
	}
	fil, err := a.ToFilecoinAddress()
	return &account{node: n, key: k, addr: a, fil: fil}, err
}

// send signs and sends a transaction; it is in a block when wait returns its receipt.
func (a *account) send(ctx context.Context, to *ethtypes.EthAddress, value int64, input []byte) (ethtypes.EthHash, error) {
	tx := &ethtypes.Eth1559TxArgs{
		ChainID: buildconstants.Eip155ChainId, Nonce: a.nonce, To: to, Value: big.NewInt(value), Input: input,
		MaxFeePerGas: big.NewInt(1e10), MaxPriorityFeePerGas: big.NewInt(1e6), GasLimit: 400_000_000,
		V: big.Zero(), R: big.Zero(), S: big.Zero(),
	}
	plain, err := tx.ToRlpUnsignedMsg()
	if err != nil {
		return ethtypes.EthHash{}, err
	}
	sig, err := sigs.Sign(crypto.SigTypeDelegated, a.key.PrivateKey, plain)
	if err != nil {
		return ethtypes.EthHash{}, err
	}
	if err := tx.InitialiseSignature(*sig); err != nil {
		return ethtypes.EthHash{}, err
	}
	signed, err := tx.ToRlpSignedMsg()
	if err != nil {
		return ethtypes.EthHash{}, err
	}
	hash, err := a.EthSendRawTransaction(ctx, signed)
	// The message pool hears of a new head, and of accounts that are new there, a little later.
	for i := 0; err != nil && a.nonce == 0 && i < 30; i++ {
		time.Sleep(time.Second)
		hash, err = a.EthSendRawTransaction(ctx, signed)
	}
	if err == nil {
		a.nonce++
	}
	return hash, err
}

func (a *account) wait(ctx context.Context, hash ethtypes.EthHash) (*ethtypes.EthTxReceipt, error) {
	for range 180 {
		r, err := a.EthGetTransactionReceipt(ctx, hash)
		if err == nil && r != nil {
			if r.Status != 1 {
				return nil, fmt.Errorf("transaction %s failed", hash)
			}
			return r, nil
		}
		time.Sleep(time.Second)
	}
	return nil, fmt.Errorf("no receipt of %s in three minutes", hash)
}

func (a *account) deploy(ctx context.Context, name string) (*ethtypes.EthAddress, error) {
	text, err := os.ReadFile(filepath.Join(os.Getenv("LOTUS_DIR"), "itests", "contracts", name))
	if err != nil {
		return nil, err
	}
	code, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	hash, err := a.send(ctx, nil, 0, code)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", name, err)
	}
	r, err := a.wait(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", name, err)
	}
	if r.ContractAddress == nil {
		return nil, fmt.Errorf("deploy %s: no address", name)
	}
	return r.ContractAddress, nil
}

func word(n uint64) []byte {
	b := make([]byte, 32)
	binary.BigEndian.PutUint64(b[24:], n)
	return b
}

// call is the input of a call: a selector and words.
func call(signature string, words ...[]byte) []byte {
	h := ethtypes.EthHashFromTxBytes([]byte(signature)) // Keccak-256
	return append(h[:4:4], bytes.Join(words, nil)...)
}

// traffic sends messages for as long as told and checks what they did.
func (n *node) traffic(ctx context.Context, length time.Duration, user address.Address) error {
	a, err := n.newAccount()
	if err != nil {
		return err
	}
	sm, err := n.MpoolPushMessage(ctx, &types.Message{From: user, To: a.fil, Value: big.Mul(big.NewInt(10_000), big.NewInt(1e18))}, nil)
	if err != nil {
		return err
	}
	if err := n.waitFil(ctx, sm); err != nil {
		return err
	}
	coin, err := a.deploy(ctx, "SimpleCoin.hex")
	if err != nil {
		return err
	}
	recurse, err := a.deploy(ctx, "RecCall.hex")
	if err != nil {
		return err
	}
	owner := append(make([]byte, 12), a.addr[:]...)
	balance := func() (uint64, error) {
		out, err := n.EthCall(ctx, ethtypes.EthCall{From: &a.addr, To: coin, Data: call("getBalance(address)", owner)}, ethtypes.NewEthBlockNumberOrHashFromPredefined("latest"))
		if err != nil || len(out) != 32 {
			return 0, fmt.Errorf("balance: %x, %w", []byte(out), err)
		}
		return binary.BigEndian.Uint64(out[24:]), nil
	}
	before, err := balance()
	if err != nil {
		return err
	}
	if before == 0 {
		return errors.New("no coins after the deployment")
	}
	head, err := n.ChainHead(ctx)
	if err != nil {
		return err
	}
	begin, messages, coins := head.Height(), 3, uint64(0)
	for start := time.Now(); time.Since(start) < length; {
		var last ethtypes.EthHash
		for i := range uint64(10) {
			// Coins to a new holder, a call that calls itself, and money to a new address.
			holder := append(make([]byte, 12), word(coins + 5000)[12:]...)
			if last, err = a.send(ctx, coin, 0, call("sendCoin(address,uint256)", holder, word(1))); err != nil {
				return err
			}
			coins++
			if last, err = a.send(ctx, recurse, 0, call("exec1(uint256)", word(10+i))); err != nil {
				return err
			}
			fresh := ethtypes.EthAddress(word(uint64(a.nonce) + 1<<40)[12:])
			if last, err = a.send(ctx, &fresh, 1000, nil); err != nil {
				return err
			}
			messages += 3
		}
		to, err := address.NewSecp256k1Address(word(coins))
		if err != nil {
			return err
		}
		sm, err := n.MpoolPushMessage(ctx, &types.Message{From: user, To: to, Value: big.NewInt(1000)}, nil)
		if err != nil {
			return err
		}
		messages++
		if _, err := a.wait(ctx, last); err != nil {
			return err
		}
		if err := n.waitFil(ctx, sm); err != nil {
			return err
		}
		have, err := balance()
		if err != nil {
			return err
		}
		if have != before-coins {
			return fmt.Errorf("%d coins after %d were sent from %d", have, coins, before)
		}
	}
	if head, err = n.ChainHead(ctx); err != nil {
		return err
	}
	// Half of the epochs that the clock allows, for machines that are busy.
	if want := abi.ChainEpoch(length.Seconds()) / abi.ChainEpoch(2*buildconstants.BlockDelaySecs); head.Height()-begin < want {
		return fmt.Errorf("only %d epochs, %d wanted", head.Height()-begin, want)
	}
	blocks := 0
	for ts := head; ts.Height() > 0; blocks++ {
		if ts, err = n.ChainGetTipSet(ctx, ts.Parents()); err != nil {
			return err
		}
	}
	fmt.Printf("DEVNET %s: epochs %d to %d, %d tipsets, %d messages sent, %d coins moved, root %s\n", length, begin, head.Height(), blocks, messages, coins, head.ParentState())
	return nil
}

// waitFil waits for the receipt of a message.
func (n *node) waitFil(ctx context.Context, sm *types.SignedMessage) error {
	ctx, stop := context.WithTimeout(ctx, 3*time.Minute)
	defer stop()
	got, err := n.StateWaitMsg(ctx, sm.Cid(), 1, 100, true)
	if err != nil {
		return err
	}
	if !got.Receipt.ExitCode.IsSuccess() {
		return fmt.Errorf("message %s: exit code %d", sm.Cid(), got.Receipt.ExitCode)
	}
	return nil
}
