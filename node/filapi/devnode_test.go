package filapi

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// devServer serves a development node.
func devServer(t testing.TB, o dev.Options) (*dev.Node, *jsonrpc.Server) {
	t.Helper()
	n, err := dev.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	a, err := OfNode(n, NodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var ms, old, two jsonrpc.Methods
	a.Register(&ms)
	a.RegisterV0(&old)
	a.RegisterV2(&two)
	return n, jsonrpc.New(&ms, jsonrpc.Options{Paths: map[string]*jsonrpc.Methods{"/rpc/v0": &old, "/rpc/v2": &two}})
}

// ask calls a method and gives its result.
func ask[T any](t testing.TB, s *jsonrpc.Server, method string, params ...any) (out T) {
	t.Helper()
	if err := s.Client().Call(t.Context(), &out, Prefix+method, params...); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return out
}

type object = map[string]any

// A wallet's way to send: nonce, gas, signature by the node, wait.
func TestDevSend(t *testing.T) {
	_, s := devServer(t, dev.Options{Genesis: genesis.Options{Miners: 1}})
	list := ask[[]string](t, s, "WalletList")
	if len(list) != 10+10+3+1 || !strings.HasPrefix(list[0], "t1") || !strings.HasPrefix(list[10], "t410f") {
		t.Fatalf("keys: %v", list)
	}
	if d := ask[string](t, s, "WalletDefaultAddress"); d != list[0] {
		t.Errorf("the default address is %s", d)
	}
	bls := ask[string](t, s, "WalletNew", "bls")
	if !strings.HasPrefix(bls, "t3") {
		t.Errorf("a new BLS key is %s", bls)
	}
	for _, c := range []struct{ name, from, to string }{
		{"f1 to a new f3", list[0], bls},
		{"f410 to another", list[10], list[11]},
		{"f3 to f1", bls, list[1]},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := ask[string](t, s, "WalletBalance", c.to)
			method, value := int64(0), "500000000000000000"
			if c.to == bls {
				value = "1000000000000000000"
			}
			if strings.HasPrefix(c.from, "t4") {
				method = 3844450837
			}
			sent := ask[struct {
				Message   object
				Signature object
				CID       object
			}](t, s, "MpoolPushMessage", object{"To": c.to, "From": c.from, "Value": value, "Method": method}, object{"MaxFee": "0"})
			got := ask[struct {
				Message object
				Receipt struct {
					ExitCode int
					GasUsed  int64
				}
				Height int64
				TipSet []object
			}](t, s, "StateWaitMsg", sent.CID, 2, -1, true)
			if got.Receipt.ExitCode != 0 || got.Receipt.GasUsed == 0 {
				t.Fatalf("receipt: %+v", got.Receipt)
			}
			after := ask[string](t, s, "WalletBalance", c.to)
			if after == before {
				t.Errorf("the balance is still %s", after)
			}
			if found := ask[object](t, s, "StateSearchMsg", nil, sent.CID, -1, true); found["Height"] != float64(got.Height) {
				t.Errorf("StateSearchMsg: %v", found)
			}
			inner := ask[object](t, s, "ChainGetMessage", sent.CID)
			if inner["From"] != c.from || inner["To"] != c.to {
				t.Errorf("ChainGetMessage: %v", inner)
			}
			replayed := ask[object](t, s, "StateReplay", nil, sent.CID)
			if replayed["Error"] != "" || replayed["ExecutionTrace"].(object)["Msg"].(object)["Value"] != value {
				t.Errorf("StateReplay: %v", replayed)
			}
		})
	}
}

// Every method answers something on a new chain, with parameters that make sense.
func TestDevRead(t *testing.T) {
	n, s := devServer(t, dev.Options{Genesis: genesis.Options{Miners: 1}})
	head := ask[struct {
		Cids   []object
		Height int
	}](t, s, "ChainHead")
	if head.Height != 1 {
		t.Fatalf("the head is at %d", head.Height)
	}
	first := ask[[]string](t, s, "WalletList")[0]
	miner := ask[[]string](t, s, "StateListMiners", nil)
	if len(miner) != 1 {
		t.Fatalf("miners: %v", miner)
	}
	code := ask[object](t, s, "StateGetActor", "t01", nil)["Code"]
	for _, c := range []struct {
		method string
		params []any
	}{
		{"Version", nil}, {"ChainGetGenesis", nil}, {"ChainGetTipSet", []any{head.Cids}}, {"ChainGetTipSetByHeight", []any{0, head.Cids}},
		{"ChainGetBlock", []any{head.Cids[0]}}, {"ChainGetBlockMessages", []any{head.Cids[0]}}, {"ChainGetParentMessages", []any{head.Cids[0]}},
		{"ChainGetParentReceipts", []any{head.Cids[0]}}, {"ChainReadObj", []any{head.Cids[0]}}, {"ChainHasObj", []any{head.Cids[0]}},
		{"ChainTipSetWeight", []any{nil}}, {"ChainGetMessagesInTipset", []any{nil}}, {"ChainGetFinalizedTipSet", nil},
		{"StateNetworkName", nil}, {"StateNetworkVersion", []any{nil}}, {"StateGetNetworkParams", nil}, {"StateListActors", []any{nil}},
		{"StateReadState", []any{"t05", nil}}, {"StateLookupID", []any{first, nil}}, {"StateAccountKey", []any{"t0103", nil}},
		{"StateLookupRobustAddress", []any{"t0103", nil}}, {"StateCirculatingSupply", []any{nil}}, {"StateVMCirculatingSupplyInternal", []any{nil}},
		{"StateMinerInfo", []any{miner[0], nil}}, {"StateMinerPower", []any{miner[0], nil}}, {"StateMinerProvingDeadline", []any{miner[0], nil}},
		{"StateMinerDeadlines", []any{miner[0], nil}}, {"StateMinerPartitions", []any{miner[0], 0, nil}}, {"StateMinerSectors", []any{miner[0], nil, nil}},
		{"StateMinerActiveSectors", []any{miner[0], nil}}, {"StateMinerAvailableBalance", []any{miner[0], nil}}, {"StateMinerFaults", []any{miner[0], nil}},
		{"StateMinerSectorCount", []any{miner[0], nil}}, {"StateMarketBalance", []any{first, nil}}, {"StateMarketDeals", []any{nil}},
		{"StateActorCodeCIDs", []any{int(n.Version(0))}}, {"StateActorManifestCID", []any{int(n.Version(0))}}, {"StateGetBeaconEntry", []any{1}},
		{"StateGetRandomnessFromTickets", []any{1, 0, "AAAA", nil}}, {"StateGetRandomnessDigestFromBeacon", []any{1, nil}},
		{"StateVerifiedRegistryRootKey", []any{nil}}, {"StateVerifiedClientStatus", []any{first, nil}}, {"StateGetAllAllocations", []any{nil}},
		{"GasEstimateFeeCap", []any{object{"To": first, "From": first}, 20, nil}}, {"GasEstimateGasPremium", []any{10, first, 0, nil}},
		{"GasEstimateMessageGas", []any{object{"To": first, "From": first, "Value": "0", "Method": 0}, nil, nil}},
		{"StateCall", []any{object{"To": first, "From": first, "Value": "1", "Method": 0}, nil}},
		{"MpoolPending", []any{nil}}, {"MpoolGetNonce", []any{first}}, {"MpoolGetConfig", nil}, {"MpoolSelect", []any{nil, 0.5}},
		{"SyncState", nil}, {"NodeStatus", []any{true}}, {"NetAddrsListen", nil}, {"NetPeers", nil}, {"ID", nil}, {"Session", nil}, {"StartTime", nil},
		{"AuthVerify", []any{"x"}}, {"WalletSign", []any{first, "aGk="}}, {"WalletExport", []any{first}}, {"WalletValidateAddress", []any{first}},
		{"StateDecodeParams", []any{"t05", 2, "QFU=", nil}}, {"StateEncodeParams", []any{code, 3, object{"CodeCID": code, "ConstructorParams": "AA=="}}},
	} {
		t.Run(c.method, func(t *testing.T) {
			var raw json.RawMessage
			err := s.Client().Call(t.Context(), &raw, Prefix+c.method, c.params...)
			if c.method == "StateDecodeParams" && err != nil {
				t.Skip("these bytes are none: ", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if ofMainnet.Match(raw) {
				t.Errorf("an address of mainnet: %s", raw)
			}
			t.Logf("%.400s", raw)
		})
	}
}

// ofMainnet is an address with mainnet's letter. A session's id has dashes.
var ofMainnet = regexp.MustCompile(`"f[0-4][a-z0-9]*"`)

// ChainNotify tells the head of now, and that the head upon a block leaves when the next block comes.
func TestDevNotify(t *testing.T) {
	_, s := devServer(t, dev.Options{})
	web := httptest.NewServer(s)
	defer web.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(web.URL, "http")+"/rpc/v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if err := ws.Write(ctx, websocket.MessageText, []byte(`{"jsonrpc":"2.0","id":1,"method":"Filecoin.ChainNotify","params":[]}`)); err != nil {
		t.Fatal(err)
	}
	read := func() (m struct {
		Result int
		Method string
		Params []json.RawMessage
	}) {
		_, data, err := ws.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		return m
	}
	changes := func() (out []struct {
		Type string
		Val  struct {
			Height int
			Cids   []object
		}
	}) {
		m := read()
		if m.Method != "xrpc.ch.val" || len(m.Params) != 2 {
			t.Fatalf("got %+v", m)
		}
		if err := json.Unmarshal(m.Params[1], &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if read().Result == 0 {
		t.Fatal("no channel")
	}
	now := changes()
	if len(now) != 1 || now[0].Type != "current" || now[0].Val.Height != 1 {
		t.Fatalf("first: %+v", now)
	}
	list := ask[[]string](t, s, "WalletList")
	ask[object](t, s, "MpoolPushMessage", object{"To": list[1], "From": list[0], "Value": "1", "Method": 0}, nil)
	next := changes()
	var got []string
	for _, c := range next {
		got = append(got, c.Type)
	}
	if strings.Join(got, " ") != "revert apply apply" || next[0].Val.Height != 1 || next[1].Val.Height != 1 || next[2].Val.Height != 2 {
		t.Fatalf("after a block: %+v", next)
	}
}
