package filapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
	"golang.org/x/crypto/blake2b"
)

// The versions of the API that are spoken here: Lotus's of /rpc/v1 and /rpc/v0 (api/version.go).
const (
	apiVersion1 = 2<<16 | 3<<8
	apiVersion0 = 1<<16 | 5<<8
)

type versionJSON struct {
	Version    string
	APIVersion uint32
	BlockDelay uint64
	Agent      string
}

func (a *API) version(v uint32) versionJSON {
	return versionJSON{a.o.Agent, v, a.o.Chain.Network().BlockDelay, a.o.Agent}
}

func (m v1) Version(context.Context) (json.RawMessage, error) {
	return m.out(m.version(apiVersion1), nil)
}

// newUUID is a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (m v1) Session(context.Context) (json.RawMessage, error)   { return m.out(m.session, nil) }
func (m v1) StartTime(context.Context) (json.RawMessage, error) { return m.out(m.started, nil) }

// Closing never sends anything: the connection's end is the node's.
func (m v1) Closing(ctx context.Context) (<-chan struct{}, error) {
	c := make(chan struct{})
	context.AfterFunc(ctx, func() { close(c) })
	return c, nil
}

// permissions are what every client may do.
var permissions = []string{"read", "write", "sign", "admin"}

func (m v1) AuthVerify(context.Context, string) (json.RawMessage, error) {
	return m.out(permissions, nil)
}

// AuthNew makes a token that is as good as any other, as none is asked for.
func (m v1) AuthNew(context.Context, []string) (json.RawMessage, error) {
	return m.out([]byte("none.is.needed"), nil)
}

func (m v1) LogList(context.Context) (json.RawMessage, error) { return m.out([]string{}, nil) }

func (m v1) LogSetLevel(context.Context, string, string) (json.RawMessage, error) {
	return m.out(nil, nil)
}

func (m v1) LogAlerts(context.Context) (json.RawMessage, error) { return m.out([]string{}, nil) }

// peer is the node's name among peers, of which it has none: made of the genesis, so that it is always the same.
func (a *API) peer(ctx context.Context) (string, error) {
	g, err := a.o.Chain.Genesis(ctx)
	if err != nil {
		return "", err
	}
	sum := blake2b.Sum256(append([]byte("edgefvm peer "), g.CIDs[0].Bytes()...))
	hash, err := mh.Encode(sum[:], mh.SHA2_256) // the form of a name; there is no key
	if err != nil {
		return "", err
	}
	return mh.Multihash(hash).B58String(), nil
}

func (m v1) ID(ctx context.Context) (json.RawMessage, error) {
	id, err := m.peer(ctx)
	return m.out(id, err)
}

type peerInfoJSON struct {
	ID    string
	Addrs []string
}

func (m v1) NetAddrsListen(ctx context.Context) (json.RawMessage, error) {
	id, err := m.peer(ctx)
	return m.out(peerInfoJSON{id, []string{}}, err)
}

func (m v1) NetPeers(context.Context) (json.RawMessage, error) { return m.out([]peerInfoJSON{}, nil) }

type natInfoJSON struct {
	Reachability int
	PublicAddrs  []string
}

func (m v1) NetAutoNatStatus(context.Context) (json.RawMessage, error) {
	return m.out(natInfoJSON{0, nil}, nil)
}

type bandwidthJSON struct {
	TotalIn, TotalOut int64
	RateIn, RateOut   float64
}

func (m v1) NetBandwidthStats(context.Context) (json.RawMessage, error) {
	return m.out(bandwidthJSON{}, nil)
}

func (m v1) NetBandwidthStatsByPeer(context.Context) (json.RawMessage, error) {
	return m.out(map[string]bandwidthJSON{}, nil)
}

func (m v1) NetBandwidthStatsByProtocol(context.Context) (json.RawMessage, error) {
	return m.out(map[string]bandwidthJSON{}, nil)
}

func (m v1) NetPubsubScores(context.Context) (json.RawMessage, error) { return m.out([]string{}, nil) }

func (m v1) NetConnectedness(context.Context, string) (json.RawMessage, error) { return m.out(0, nil) }

func (m v1) NetProtectList(context.Context) (json.RawMessage, error) { return m.out([]string{}, nil) }

type syncStateJSON struct {
	ActiveSyncs []activeSyncJSON
	VMApplied   uint64
}

type activeSyncJSON struct {
	WorkerID     uint64
	Base, Target *tipsetJSON
	Stage        int
	Height       abi.ChainEpoch
	Start, End   time.Time
	Message      string
}

const syncComplete = 4

// SyncState is of a node that has all of its chain.
func (m v1) SyncState(ctx context.Context) (json.RawMessage, error) {
	head, err := m.o.Chain.Head(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	ts, now := tipsetOut(head), m.o.Now()
	return m.out(syncStateJSON{ActiveSyncs: []activeSyncJSON{{Base: ts, Target: ts, Stage: syncComplete, Height: head.Height(), Start: now, End: now}}}, nil)
}

func (m v1) SyncCheckBad(context.Context, cid.Cid) (json.RawMessage, error) { return m.out("", nil) }

type nodeStatusJSON struct {
	SyncStatus  struct{ Epoch, Behind uint64 }
	PeerStatus  struct{ PeersToPublishMsgs, PeersToPublishBlocks int }
	ChainStatus struct{ BlocksPerTipsetLast100, BlocksPerTipsetLastFinality float64 }
}

// NodeStatus counts blocks of a chain that is longer than the finality, if it is asked to.
func (m v1) NodeStatus(ctx context.Context, inclChain bool) (json.RawMessage, error) {
	ts, err := m.o.Chain.Head(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	var out nodeStatusJSON
	out.SyncStatus.Epoch = uint64(ts.Height())
	if age := m.o.Now().Unix() - int64(ts.Timestamp()); age > 0 {
		out.SyncStatus.Behind = uint64(age) / 30
	}
	if inclChain && ts.Height() > finality {
		blocks := 0
		for i := 1; i <= finality && ts.Height() > 0; i++ {
			blocks += len(ts.Blocks)
			if i == 100 {
				out.ChainStatus.BlocksPerTipsetLast100 = float64(blocks) / 100
			}
			if ts, err = m.o.Chain.Store().Parent(ctx, ts); err != nil {
				return m.out(nil, err)
			}
		}
		out.ChainStatus.BlocksPerTipsetLastFinality = float64(blocks) / finality
	}
	return m.out(out, nil)
}

// PaychList is empty: payment channels are managed by nobody here.
func (m v1) PaychList(context.Context) (json.RawMessage, error) { return m.out([]string{}, nil) }

// F3 does not run here.

func (m v1) F3IsRunning(context.Context) (json.RawMessage, error) { return m.out(false, nil) }

func (m v1) F3GetManifest(context.Context) (json.RawMessage, error) { return nil, errF3() }

func (m v1) F3GetLatestCertificate(context.Context) (json.RawMessage, error) { return nil, errF3() }

func (m v1) F3GetCertificate(context.Context, uint64) (json.RawMessage, error) { return nil, errF3() }

func (m v1) F3GetProgress(context.Context) (json.RawMessage, error) { return nil, errF3() }

func (m v1) F3ListParticipants(context.Context) (json.RawMessage, error) { return nil, errF3() }
