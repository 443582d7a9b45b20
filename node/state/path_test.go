package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// shown is what stands at a path, as JSON.
func shown(t *testing.T, tree *Tree, path string, o ViewOptions) (string, error) {
	t.Helper()
	n, err := tree.Get(t.Context(), path)
	if err != nil {
		return "", err
	}
	v, err := n.View(t.Context(), o)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String()), nil
}

// pathState has something of each sort of key.
func pathState(t *testing.T) *Tree {
	b := newBuilder(t)
	b.actor(100, "account", account18(b, 100), 5)
	b.actor(1000, "storageminer", b.miner(minerParts{
		sectors: map[uint64]cbg.CBORMarshaler{17: sector(17, 100)}, owner: 100, pledge: 3, allocated: []uint64{0, 1, 2, 17},
		partitions: map[uint64]cbg.CBORMarshaler{0: partition(b, 1, 4)},
	}), 0)
	inner := cbg.CborCid(b.hamt(4, map[string]cbg.CBORMarshaler{abi.UIntKey(7).Key(): amountOf(3)}))
	b.actor(7, "datacap", b.put(&datacap.State{Governor: addr.NewID(6), Token: datacap.TokenState{
		Supply: big.Zero(), HamtBitWidth: 4,
		Balances:   b.hamt(4, map[string]cbg.CBORMarshaler{abi.UIntKey(100).Key(): amountOf(11), abi.UIntKey(1 << 40).Key(): amountOf(12)}),
		Allowances: b.hamt(4, map[string]cbg.CBORMarshaler{abi.UIntKey(100).Key(): &inner}),
	}}), 0)
	pair := abi.NewAddrPairKey(addr.NewID(80), addr.NewID(100)).Key()
	b.actor(6, "verifiedregistry", b.put(&verifreg.State{
		RootKey: addr.NewID(80), Verifiers: b.hamt(5, map[string]cbg.CBORMarshaler{string(addr.NewID(100).Bytes()): amountOf(9)}),
		RemoveDataCapProposalIDs: b.hamt(5, map[string]cbg.CBORMarshaler{pair: &verifreg.RmDcProposalID{ProposalID: 4}}),
		Claims:                   b.hamt(5, nil), Allocations: b.hamt(5, nil),
	}), 0)
	events := cbg.CborCid(b.amt(6, map[uint64]cbg.CBORMarshaler{0: &power.CronEvent{MinerAddr: addr.NewID(1000), CallbackPayload: []byte{1, 2}}}))
	ps := power.State{
		TotalRawBytePower: big.Zero(), TotalBytesCommitted: big.Zero(), TotalQualityAdjPower: big.Zero(), TotalQABytesCommitted: big.Zero(),
		TotalPledgeCollateral: big.Zero(), ThisEpochRawBytePower: big.Zero(), ThisEpochQualityAdjPower: big.Zero(), ThisEpochPledgeCollateral: big.Zero(),
		CronEventQueue: b.hamt(6, map[string]cbg.CBORMarshaler{abi.IntKey(-5).Key(): &events}), Claims: b.hamt(5, nil),
	}
	ps.ThisEpochQAPowerSmoothed.PositionEstimate, ps.ThisEpochQAPowerSmoothed.VelocityEstimate = big.Zero(), big.Zero()
	b.actor(4, "storagepower", b.put(&ps), 0)
	names := map[string]cbg.CBORMarshaler{}
	var key struct{ Address []byte }
	n, err := b.tree(Options{}).Get(t.Context(), "actors/f0100/state/Address")
	b.must(err)
	v, err := n.View(t.Context(), ViewOptions{})
	b.must(err)
	key.Address, err = keyAddress.parse(v.(string))
	b.must(err)
	id := cbg.CborInt(100)
	names[string(key.Address)] = &id
	var init bytes.Buffer
	init.WriteByte(0x83)
	b.must(cbg.WriteCid(&init, b.hamt(5, names)))
	init.WriteString("\x18\x70\x67mainnet")
	b.actor(1, "init", b.raw(init.Bytes()), 0)
	return b.tree(Options{})
}

func amountOf(v int64) *big.Int { n := big.NewInt(v); return &n }

func TestPaths(t *testing.T) {
	tree := pathState(t)
	key, err := shown(t, tree, "actors/f0100/state/Address", ViewOptions{})
	if err != nil {
		t.Fatal(err)
	}
	key = strings.Trim(key, `"`)
	for path, want := range map[string]string{
		"version":                  "5",
		"0":                        "5",
		"/Version/":                "5",
		"actors/f0100/balance":     `"5"`,
		"actors/t0100/3":           `"5"`,
		"actors/" + key + "/Nonce": "0",
		"1/0xff00000000000000000000000000000000000064/nonce":              "0",
		"actors/f01000/state/Sectors/17/Expiration":                       "100",
		"actors/f01000/State/sectors/17/5":                                "100",
		"actors/f01000/state/AllocatedSectors":                            `"0-2,17"`,
		"actors/f01000/state/Info/Owner":                                  `"f0100"`,
		"actors/f01000/state/InitialPledge":                               `"3"`,
		"actors/f01000/state/VestingFunds":                                "null",
		"actors/f01000/state/Deadlines/Due/3/Partitions/0/Faults":         `"1,4"`,
		"actors/f07/state/Token/Balances/f0100":                           `"11"`,
		"actors/f07/state/Token/Balances/100":                             `"11"`,
		"actors/f07/state/Token/Balances/" + key:                          `"11"`,
		"actors/f07/state/Token/Balances/1099511627776":                   `"12"`,
		"actors/f07/state/Token/Allowances/f0100/f07":                     `"3"`,
		"actors/f06/state/Verifiers/" + key:                               `"9"`,
		"actors/f06/state/RemoveDataCapProposalIDs/f080,f0100/ProposalID": "4",
		"actors/f04/state/CronEventQueue/-5/0/MinerAddr":                  `"f01000"`,
		"actors/f04/state/CronEventQueue/-5/0/CallbackPayload":            `"0x0102"`,
		"actors/f00/state/BuiltinActors/Entries/0/Name":                   `"system"`,
		"actors/f01/state/NetworkName":                                    `"mainnet"`,
	} {
		if got, err := shown(t, tree, path, ViewOptions{}); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", path, got, err, want)
		}
	}
}

// What leads nowhere says which part, and what would go on.
func TestPathErrors(t *testing.T) {
	tree := pathState(t)
	for path, want := range map[string]string{
		"actor":                                  `/: there is no field "actor"; it has version, actors, info`,
		"3":                                      `/: there is no field "3"; it has version, actors, info`,
		"actors/f0999":                           "/actors: there is no actor f0999; it has ",
		"actors/1000":                            `/actors: "1000" is no actor, such as f01000`,
		"actors/f01000/stat":                     `/actors/f01000: there is no field "stat"; it has code, head, nonce, balance, delegated_address, state`,
		"actors/f01000/state/Sectors/x":          `/actors/f01000/state/Sectors: "x" is no sector, such as 0`,
		"actors/f01000/state/Sectors/18":         "/actors/f01000/state/Sectors: there is no sector 18; it has 17",
		"actors/f01000/state/Sectors/-1":         `"-1" is no sector`,
		"actors/f01000/state/Sectors/17/x":       `/actors/f01000/state/Sectors/17: there is no field "x"; it has SectorNumber, SealProof, `,
		"actors/f01000/state/Sectors/17/Flags/0": "/actors/f01000/state/Sectors/17/Flags: it has no parts",
		"actors/f01000/state/VestingFunds/Head":  "/actors/f01000/state/VestingFunds: it is null",
		"actors/f01000/state/Deadlines/Due/48":   "/actors/f01000/state/Deadlines/Due: there is no index 48 in this list of 48",
		"actors/f01000/state/Deadlines/Due/x":    `"x" is no index of this list of 48`,
		"actors/f06/state/Verifiers/f0101":       "there is no address f0101; it has f0100",
		"actors/f04/state/CronEventQueue/5":      "there is no epoch 5; it has -5",
		"actors/f04/state/Claims/f01":            "/actors/f04/state/Claims: there is no address f01",
		"actors/f0100/state/Address/0":           "/actors/f0100/state/Address: it has no parts",
		"actors/f0100/code/x":                    "/actors/f0100/code: the block bafk",
		"actors/f06/state/Verifiers/f1":          `"f1" is no address`,
	} {
		_, err := shown(t, tree, path, ViewOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", path, err, want)
		}
	}
	_, err := tree.Get(t.Context(), "actors/f01000/state/Sectors/18")
	var at *PathError
	if !errors.As(err, &at) || at.Name != "18" || !slices.Equal(at.Known, []string{"17"}) || !errors.Is(err, ErrNotFound) {
		t.Errorf("%+v", at)
	}
}

// Links are followed as deep as asked, and what is left out is told.
func TestViews(t *testing.T) {
	tree := pathState(t)
	for _, c := range []struct {
		path string
		o    ViewOptions
		want string
	}{
		{"actors/f01000/state/Sectors", ViewOptions{}, `"type":"AMT of sector → SectorOnChainInfo","count":1,"entries":[],"more":true}`},
		{"actors/f07/state/Token/Balances", ViewOptions{Entries: 1}, `"type":"HAMT of actor → amount","entries":[{"key":"`},
		{"actors/f07/state/Token/Allowances", ViewOptions{Entries: 2, Depth: 1}, `"entries":[{"key":"f07","value":"3"}]}}]}`},
		{"actors/f01000/state/Info", ViewOptions{}, `"Worker":"f0101"`},
		{"actors/f01000", ViewOptions{Depth: 1}, `"state":{"cid":"bafy2bz`},
		{"actors/f01000", ViewOptions{Depth: 2, Entries: 3}, `"Info":{"cid":"bafy2bz`},
		{"actors/f01000/state/Deadlines", ViewOptions{Depth: 2, Entries: 3}, `"Faults":"1,4"`},
	} {
		got, err := shown(t, tree, c.path, c.o)
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, %v\nwant %s", c.path, got, err, c.want)
		}
	}
	n, err := tree.Get(t.Context(), "actors/f01000/state")
	if err != nil {
		t.Fatal(err)
	}
	fields, err := n.Fields(t.Context())
	if err != nil || len(fields) < 10 || fields[0].Name != "Info" || fields[0].To == nil || fields[1].To != nil {
		t.Errorf("%+v, %v", fields, err)
	}
	for _, f := range fields {
		if f.Name == "Sectors" && (f.Count == nil || *f.Count != 1) {
			t.Errorf("%+v", f)
		}
	}
}

// Below a CID that is no state there are no types, unless they are named.
func TestOpenData(t *testing.T) {
	b := newBuilder(t)
	head := b.miner(minerParts{sectors: map[uint64]cbg.CBORMarshaler{17: sector(17, 100)}, owner: 100, pledge: 3})
	far := b.raw([]byte("\xa2\x61a\x82\x01\x20\x61b\xf5"))
	link := append([]byte("\x82\xd8\x2a\x58\x27\x00"), far.Bytes()...)
	list := b.raw(append(link, 0xf6))
	get := func(c cid.Cid, k Kind, path string) (string, error) {
		n, err := OpenData(t.Context(), b.store, c, k)
		if err != nil {
			return "", err
		}
		if n, err = n.Get(t.Context(), path); err != nil {
			return "", err
		}
		v, err := n.View(t.Context(), ViewOptions{})
		text, _ := json.Marshal(v)
		return string(text), err
	}
	for _, c := range []struct {
		c    cid.Cid
		kind Kind
		path string
		want string
	}{
		{list, Kind{}, "", fmt.Sprintf(`[{"/":"%s"},null]`, far)},
		{list, Kind{}, "0/a/1", "-1"},
		{list, Kind{}, "0/b", "true"},
		{head, Kind{Name: "storageminer", Version: 18}, "Sectors/17/Expiration", "100"},
		{head, Kind{}, "5", `"0x0003"`}, // InitialPledge as it stands
	} {
		if got, err := get(c.c, c.kind, c.path); err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.path, got, err, c.want)
		}
	}
	for _, c := range []struct {
		kind       Kind
		path, want string
	}{
		{Kind{}, "2", "there is no index 2 in this list of 2"},
		{Kind{}, "0/c", `there is no key "c"; it has a, b`},
		{Kind{}, "0/b/x", "it has no parts"},
		{Kind{Name: "storageminer", Version: 18}, "", "not read as storageminer state v18"},
		{Kind{Name: "storageminer", Version: 7}, "", "no types for the state of storageminer of version 7"},
		{Kind{Name: "miner", Version: 18}, "", "no types for the state of miner"},
	} {
		if _, err := get(list, c.kind, c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %s: %v", c.kind, c.path, err)
		}
	}
}
