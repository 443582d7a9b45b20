package ffi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/go-cid"
	"github.com/prometheus/client_golang/prometheus"

	ffi "github.com/filecoin-project/filecoin-ffi"
	"github.com/filecoin-project/filecoin-ffi/cgo"
)

// is has the compiler check that a function's type is F.
func is[F any](f F) any { return f }

// surface are the functions of filecoin-ffi v1.36.1, which Lotus v1.36.3 requires (v1.36.0, which Venus v1.20.0
// requires, has the same). Not here are the Workflow functions with their TestHelper, which are tests; AllocationManager,
// which nothing uses; and SortedPublicSectorInfo, which no function outside of the original gives or takes.
var surface = map[string]any{
	"Aggregate":                        is[func([]ffi.Signature) *ffi.Signature](ffi.Aggregate),
	"AggregateSealProofs":              is[func(proof.AggregateSealVerifyProofAndInfos, [][]byte) ([]byte, error)](ffi.AggregateSealProofs),
	"ClearCache":                       is[func(string) error](ffi.ClearCache),
	"ClearSyntheticProofs":             is[func(string) error](ffi.ClearSyntheticProofs),
	"CreateFVM":                        is[func(*ffi.FVMOpts) (*ffi.FVM, error)](ffi.CreateFVM),
	"CreateZeroSignature":              is[func() ffi.Signature](ffi.CreateZeroSignature),
	"FVM.ApplyImplicitMessage":         is[func(*ffi.FVM, []byte) (*ffi.ApplyRet, error)]((*ffi.FVM).ApplyImplicitMessage),
	"FVM.ApplyMessage":                 is[func(*ffi.FVM, []byte, uint) (*ffi.ApplyRet, error)]((*ffi.FVM).ApplyMessage),
	"FVM.Flush":                        is[func(*ffi.FVM) (cid.Cid, error)]((*ffi.FVM).Flush),
	"FauxRep":                          is[func(abi.RegisteredSealProof, string, string) (cid.Cid, error)](ffi.FauxRep),
	"FauxRep2":                         is[func(abi.RegisteredSealProof, string, string) (cid.Cid, error)](ffi.FauxRep2),
	"FunctionsSectorUpdate.DecodeFrom": is[func(ffi.FunctionsSectorUpdate, abi.RegisteredUpdateProof, string, string, string, string, cid.Cid) error](ffi.FunctionsSectorUpdate.DecodeFrom),
	"FunctionsSectorUpdate.EncodeInto": is[func(ffi.FunctionsSectorUpdate, abi.RegisteredUpdateProof, string, string, string, string, string, []abi.PieceInfo) (cid.Cid, cid.Cid, error)](ffi.FunctionsSectorUpdate.EncodeInto),
	"FunctionsSectorUpdate.GenerateUpdateProof":            is[func(ffi.FunctionsSectorUpdate, abi.RegisteredUpdateProof, cid.Cid, cid.Cid, cid.Cid, string, string, string, string) ([]byte, error)](ffi.FunctionsSectorUpdate.GenerateUpdateProof),
	"FunctionsSectorUpdate.GenerateUpdateProofWithVanilla": is[func(ffi.FunctionsSectorUpdate, abi.RegisteredUpdateProof, cid.Cid, cid.Cid, cid.Cid, [][]byte) ([]byte, error)](ffi.FunctionsSectorUpdate.GenerateUpdateProofWithVanilla),
	"FunctionsSectorUpdate.GenerateUpdateVanillaProofs":    is[func(ffi.FunctionsSectorUpdate, abi.RegisteredUpdateProof, cid.Cid, cid.Cid, cid.Cid, string, string, string, string) ([][]byte, error)](ffi.FunctionsSectorUpdate.GenerateUpdateVanillaProofs),
	"FunctionsSectorUpdate.RemoveData":                     is[func(ffi.FunctionsSectorUpdate, abi.RegisteredUpdateProof, string, string, string, string, string, cid.Cid) error](ffi.FunctionsSectorUpdate.RemoveData),
	"FunctionsSectorUpdate.VerifyUpdateProof":              is[func(ffi.FunctionsSectorUpdate, proof.ReplicaUpdateInfo) (bool, error)](ffi.FunctionsSectorUpdate.VerifyUpdateProof),
	"FunctionsSectorUpdate.VerifyVanillaProofs":            is[func(ffi.FunctionsSectorUpdate, abi.RegisteredUpdateProof, cid.Cid, cid.Cid, cid.Cid, [][]byte) (bool, error)](ffi.FunctionsSectorUpdate.VerifyVanillaProofs),
	"GeneratePieceCID":                                     is[func(abi.RegisteredSealProof, string, abi.UnpaddedPieceSize) (cid.Cid, error)](ffi.GeneratePieceCID),
	"GeneratePieceCIDFromFile":                             is[func(abi.RegisteredSealProof, *os.File, abi.UnpaddedPieceSize) (cid.Cid, error)](ffi.GeneratePieceCIDFromFile),
	"GeneratePoStFallbackSectorChallenges":                 is[func(abi.RegisteredPoStProof, abi.ActorID, abi.PoStRandomness, []abi.SectorNumber) (*ffi.FallbackChallenges, error)](ffi.GeneratePoStFallbackSectorChallenges),
	"GenerateSDR":                                          is[func(abi.RegisteredSealProof, string, [32]byte) error](ffi.GenerateSDR),
	"GenerateSinglePartitionWindowPoStWithVanilla":         is[func(abi.RegisteredPoStProof, abi.ActorID, abi.PoStRandomness, [][]byte, uint) (*ffi.PartitionProof, error)](ffi.GenerateSinglePartitionWindowPoStWithVanilla),
	"GenerateSingleVanillaProof":                           is[func(ffi.PrivateSectorInfo, []uint64) ([]byte, error)](ffi.GenerateSingleVanillaProof),
	"GenerateSynthProofs":                                  is[func(abi.RegisteredSealProof, cid.Cid, cid.Cid, string, string, abi.SectorNumber, abi.ActorID, []byte, []abi.PieceInfo) error](ffi.GenerateSynthProofs),
	"GenerateUnsealedCID":                                  is[func(abi.RegisteredSealProof, []abi.PieceInfo) (cid.Cid, error)](ffi.GenerateUnsealedCID),
	"GenerateWindowPoSt":                                   is[func(abi.ActorID, ffi.SortedPrivateSectorInfo, abi.PoStRandomness) ([]proof.PoStProof, []abi.SectorNumber, error)](ffi.GenerateWindowPoSt),
	"GenerateWindowPoStWithVanilla":                        is[func(abi.RegisteredPoStProof, abi.ActorID, abi.PoStRandomness, [][]byte) ([]proof.PoStProof, error)](ffi.GenerateWindowPoStWithVanilla),
	"GenerateWinningPoSt":                                  is[func(abi.ActorID, ffi.SortedPrivateSectorInfo, abi.PoStRandomness) ([]proof.PoStProof, error)](ffi.GenerateWinningPoSt),
	"GenerateWinningPoStSectorChallenge":                   is[func(abi.RegisteredPoStProof, abi.ActorID, abi.PoStRandomness, uint64) ([]uint64, error)](ffi.GenerateWinningPoStSectorChallenge),
	"GenerateWinningPoStWithVanilla":                       is[func(abi.RegisteredPoStProof, abi.ActorID, abi.PoStRandomness, [][]byte) ([]proof.PoStProof, error)](ffi.GenerateWinningPoStWithVanilla),
	"GetGPUDevices":                                        is[func() ([]string, error)](ffi.GetGPUDevices),
	"GetNumPartitionForFallbackPost":                       is[func(abi.RegisteredPoStProof, uint) (uint, error)](ffi.GetNumPartitionForFallbackPost),
	"GetPoStVersion":                                       is[func(abi.RegisteredPoStProof) (string, error)](ffi.GetPoStVersion),
	"GetSealVersion":                                       is[func(abi.RegisteredSealProof) (string, error)](ffi.GetSealVersion),
	"Hash":                                                 is[func(ffi.Message) ffi.Digest](ffi.Hash),
	"HashVerify":                                           is[func(*ffi.Signature, []ffi.Message, []ffi.PublicKey) bool](ffi.HashVerify),
	"MergeWindowPoStPartitionProofs":                       is[func(abi.RegisteredPoStProof, []ffi.PartitionProof) (*proof.PoStProof, error)](ffi.MergeWindowPoStPartitionProofs),
	"NewSortedPrivateSectorInfo":                           is[func(...ffi.PrivateSectorInfo) ffi.SortedPrivateSectorInfo](ffi.NewSortedPrivateSectorInfo),
	"PrivateKeyGenerate":                                   is[func() ffi.PrivateKey](ffi.PrivateKeyGenerate),
	"PrivateKeyGenerateWithSeed":                           is[func(ffi.PrivateKeyGenSeed) ffi.PrivateKey](ffi.PrivateKeyGenerateWithSeed),
	"PrivateKeyPublicKey":                                  is[func(ffi.PrivateKey) *ffi.PublicKey](ffi.PrivateKeyPublicKey),
	"PrivateKeySign":                                       is[func(ffi.PrivateKey, ffi.Message) *ffi.Signature](ffi.PrivateKeySign),
	"SealCommitPhase1":                                     is[func(abi.RegisteredSealProof, cid.Cid, cid.Cid, string, string, abi.SectorNumber, abi.ActorID, abi.SealRandomness, abi.InteractiveSealRandomness, []abi.PieceInfo) ([]byte, error)](ffi.SealCommitPhase1),
	"SealCommitPhase2":                                     is[func([]byte, abi.SectorNumber, abi.ActorID) ([]byte, error)](ffi.SealCommitPhase2),
	"SealCommitPhase2CircuitProofs":                        is[func([]byte, abi.SectorNumber) ([]byte, error)](ffi.SealCommitPhase2CircuitProofs),
	"SealPreCommitPhase1":                                  is[func(abi.RegisteredSealProof, string, string, string, abi.SectorNumber, abi.ActorID, abi.SealRandomness, []abi.PieceInfo) ([]byte, error)](ffi.SealPreCommitPhase1),
	"SealPreCommitPhase2":                                  is[func([]byte, string, string) (cid.Cid, cid.Cid, error)](ffi.SealPreCommitPhase2),
	"SortedPrivateSectorInfo.MarshalJSON":                  is[func(ffi.SortedPrivateSectorInfo) ([]byte, error)](ffi.SortedPrivateSectorInfo.MarshalJSON),
	"SortedPrivateSectorInfo.UnmarshalJSON":                is[func(*ffi.SortedPrivateSectorInfo, []byte) error]((*ffi.SortedPrivateSectorInfo).UnmarshalJSON),
	"SortedPrivateSectorInfo.Values":                       is[func(*ffi.SortedPrivateSectorInfo) []ffi.PrivateSectorInfo]((*ffi.SortedPrivateSectorInfo).Values),
	"SplitSortedPrivateSectorInfo":                         is[func(context.Context, ffi.SortedPrivateSectorInfo, int, int) (ffi.SortedPrivateSectorInfo, error)](ffi.SplitSortedPrivateSectorInfo),
	"Unseal":                                               is[func(abi.RegisteredSealProof, string, *os.File, *os.File, abi.SectorNumber, abi.ActorID, abi.SealRandomness, cid.Cid) error](ffi.Unseal),
	"UnsealRange":                                          is[func(abi.RegisteredSealProof, string, *os.File, *os.File, abi.SectorNumber, abi.ActorID, abi.SealRandomness, cid.Cid, uint64, uint64) error](ffi.UnsealRange),
	"Verify":                                               is[func(*ffi.Signature, []ffi.Digest, []ffi.PublicKey) bool](ffi.Verify),
	"VerifyAggregateSeals":                                 is[func(proof.AggregateSealVerifyProofAndInfos) (bool, error)](ffi.VerifyAggregateSeals),
	"VerifySeal":                                           is[func(proof.SealVerifyInfo) (bool, error)](ffi.VerifySeal),
	"VerifyWindowPoSt":                                     is[func(proof.WindowPoStVerifyInfo) (bool, error)](ffi.VerifyWindowPoSt),
	"VerifyWinningPoSt":                                    is[func(proof.WinningPoStVerifyInfo) (bool, error)](ffi.VerifyWinningPoSt),
	"WriteWithAlignment":                                   is[func(abi.RegisteredSealProof, *os.File, abi.UnpaddedPieceSize, *os.File, []abi.UnpaddedPieceSize) (abi.UnpaddedPieceSize, abi.UnpaddedPieceSize, cid.Cid, error)](ffi.WriteWithAlignment),
	"WriteWithoutAlignment":                                is[func(abi.RegisteredSealProof, *os.File, abi.UnpaddedPieceSize, *os.File) (abi.UnpaddedPieceSize, cid.Cid, error)](ffi.WriteWithoutAlignment),
}

// ours are the functions that the original does not have.
var ours = map[string]any{
	"Metrics":               is[func() prometheus.Collector](ffi.Metrics),
	"NewNode":               is[func(ffi.NodeConfig) (*ffi.Node, error)](ffi.NewNode),
	"Node.Close":            is[func(*ffi.Node) error]((*ffi.Node).Close),
	"Node.CreateFVM":        is[func(*ffi.Node, *ffi.FVMOpts) (*ffi.FVM, error)]((*ffi.Node).CreateFVM),
	"Node.Metrics":          is[func(*ffi.Node) prometheus.Collector]((*ffi.Node).Metrics),
	"RegisterProofVerifier": is[func(ffi.ProofVerifier)](ffi.RegisterProofVerifier),
	"SettingsFrom":          is[func(func(string) string) (ffi.Settings, error)](ffi.SettingsFrom),
}

// The types, constants and variables, checked by the compiler: the fields and their order, what is an alias of what.
var (
	_ = ffi.FVMOpts(struct {
		FVMVersion     uint64
		Externs        cgo.Externs
		Epoch          abi.ChainEpoch
		Timestamp      uint64
		ChainID        uint64
		BaseFee        abi.TokenAmount
		BaseCircSupply abi.TokenAmount
		NetworkVersion network.Version
		StateBase      cid.Cid
		Tracing        bool
		FlushAllBlocks bool
		Debug          bool
		ActorRedirect  cid.Cid
	}{})
	_ = ffi.ApplyRet(struct {
		Return             []byte
		ExitCode           uint64
		GasUsed            int64
		MinerPenalty       abi.TokenAmount
		MinerTip           abi.TokenAmount
		BaseFeeBurn        abi.TokenAmount
		OverEstimationBurn abi.TokenAmount
		Refund             abi.TokenAmount
		GasRefund          int64
		GasBurned          int64
		ExecTraceBytes     []byte
		FailureInfo        string
		EventsRoot         *cid.Cid
		EventsBytes        []byte
	}{})
	_ = ffi.FallbackChallenges(struct {
		Sectors    []abi.SectorNumber
		Challenges map[abi.SectorNumber][]uint64
	}{})
	_ = ffi.PrivateSectorInfo(struct {
		proof.SectorInfo
		CacheDirPath     string
		PoStProofType    abi.RegisteredPoStProof
		SealedSectorPath string
	}{})
	_ = ffi.FunctionsSectorUpdate(struct{}{})
	_ = ffi.PartitionProof(proof.PoStProof{})

	_ *[96]byte = (*ffi.Signature)(nil)
	_ *[32]byte = (*ffi.PrivateKey)(nil)
	_ *[48]byte = (*ffi.PublicKey)(nil)
	_ *[96]byte = (*ffi.Digest)(nil)
	_ *[32]byte = (*ffi.PrivateKeyGenSeed)(nil)
	_ *[]byte   = (*ffi.Message)(nil)

	_ [ffi.SignatureBytes]struct{}  = [96]struct{}{}
	_ [ffi.PrivateKeyBytes]struct{} = [32]struct{}{}
	_ [ffi.PublicKeyBytes]struct{}  = [48]struct{}{}
	_ [ffi.DigestBytes]struct{}     = [96]struct{}{}
	_ [ffi.Version]struct{}         = [3]struct{}{}
	_ *int                          = func() *int { v := ffi.Version; return &v }()
	_ *ffi.FunctionsSectorUpdate    = &ffi.SectorUpdate

	_ = cgo.ConsensusFault(struct {
		Target address.Address
		Epoch  abi.ChainEpoch
		Type   cgo.ConsensusFaultType
	}{})
	_ [cgo.ConsensusFaultNone]struct{}             = [0]struct{}{}
	_ [cgo.ConsensusFaultDoubleForkMining]struct{} = [1]struct{}{}
	_ [cgo.ConsensusFaultParentGrinding]struct{}   = [2]struct{}{}
	_ [cgo.ConsensusFaultTimeOffsetMining]struct{} = [3]struct{}{}

	_ = is[func(int32) error](cgo.InitLogFd)
	_ = cgo.Externs(externs(nil))
	_ = externs(cgo.Externs(nil))
)

// externs is what a node must be, no more and no less.
type externs interface {
	GetChainRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error)
	GetBeaconRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error)
	VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*cgo.ConsensusFault, int64)
	TipsetCid(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error)
	blockstore.Blockstore
	blockstore.Viewer
}

// The lists above hold every exported function of the package, so that none goes without the test below.
func TestSurfaceIsWhole(t *testing.T) {
	var got, want []string
	for name := range surface {
		want = append(want, name)
	}
	for name := range ours {
		want = append(want, name)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if name := exported(d); name != "" {
				got = append(got, name)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the package exports\n%s\nthe lists have\n%s", got, want)
	}
}

// exported is the name of an exported function, or of a method after its type; else empty.
func exported(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok || !f.Name.IsExported() {
		return ""
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if p, ok := of.(*ast.StarExpr); ok {
		of = p.X
	}
	if name := of.(*ast.Ident); name.IsExported() {
		return name.Name + "." + f.Name.Name
	}
	return ""
}

// Nothing is not too little for these: no pieces, no sectors, no cards, a node with nothing said of it.
var takesNothing = []string{"GenerateUnsealedCID", "GetGPUDevices", "NewNode", "SortedPrivateSectorInfo.MarshalJSON", "SplitSortedPrivateSectorInfo"}

// Each function gets nothing: nil machines, options, lists and files, and numbers and keys of zeros. Those that can
// tell of an error do, and say who speaks; none panics.
func TestNothingAsInput(t *testing.T) {
	call := func(name string, f reflect.Value) {
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("%s panicked: %v", name, p)
			}
		}()
		var in []reflect.Value
		for i := range f.Type().NumIn() {
			if !f.Type().IsVariadic() || i < f.Type().NumIn()-1 {
				in = append(in, reflect.Zero(f.Type().In(i)))
			}
		}
		out := f.Call(in)
		if len(out) == 0 {
			return
		}
		switch last := out[len(out)-1]; {
		case last.Type() == reflect.TypeFor[bool]() && last.Bool():
			t.Errorf("%s: true", name)
		case last.Type() == reflect.TypeFor[error]():
			err, _ := last.Interface().(error)
			if fine := slices.Contains(takesNothing, name); fine != (err == nil) {
				t.Errorf("%s: %v", name, err)
			} else if err != nil && !strings.HasPrefix(err.Error(), "ffi") {
				t.Errorf("%s: the error %q does not say whose it is", name, err)
			}
		}
	}
	for _, list := range []map[string]any{surface, ours} {
		for name, f := range list {
			call(name, reflect.ValueOf(f))
		}
	}
}

// Functions of bytes that have no error to give: bytes that are nothing of the kind are false, or nil.
func TestBadBytes(t *testing.T) {
	var sig ffi.Signature
	copy(sig[:], bytes.Repeat([]byte{0xff}, len(sig)))
	key := ffi.PrivateKey(sig[:32])
	good := ffi.PrivateKeyGenerateWithSeed(ffi.PrivateKeyGenSeed{1})
	msgs := []ffi.Message{[]byte("a"), []byte("b")}
	pub := *ffi.PrivateKeyPublicKey(good)
	signed := ffi.PrivateKeySign(good, msgs[0])
	if !ffi.HashVerify(signed, msgs[:1], []ffi.PublicKey{pub}) {
		t.Fatal("a good signature is refused")
	}
	for name, wrong := range map[string]bool{
		"PrivateKeySign":            ffi.PrivateKeySign(key, nil) != nil,
		"PrivateKeyPublicKey":       ffi.PrivateKeyPublicKey(key) != nil,
		"Aggregate":                 ffi.Aggregate([]ffi.Signature{*signed, sig}) != nil,
		"HashVerify, signature":     ffi.HashVerify(&sig, msgs[:1], []ffi.PublicKey{pub}),
		"HashVerify, no signature":  ffi.HashVerify(nil, msgs[:1], []ffi.PublicKey{pub}),
		"HashVerify, public key":    ffi.HashVerify(signed, msgs[:1], []ffi.PublicKey{ffi.PublicKey(sig[:48])}),
		"HashVerify, too few keys":  ffi.HashVerify(signed, msgs, []ffi.PublicKey{pub}),
		"HashVerify, too many keys": ffi.HashVerify(signed, msgs[:1], []ffi.PublicKey{pub, pub}),
		"Verify, digest":            ffi.Verify(signed, []ffi.Digest{sig}, []ffi.PublicKey{pub}),
		"Verify, signature":         ffi.Verify(&sig, []ffi.Digest{ffi.Hash(msgs[0])}, []ffi.PublicKey{pub}),
		"Verify, no keys":           ffi.Verify(signed, []ffi.Digest{ffi.Hash(msgs[0])}, nil),
	} {
		if wrong {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSplitSortedPrivateSectorInfo(t *testing.T) {
	var sectors []ffi.PrivateSectorInfo
	for n := range abi.SectorNumber(4) {
		sectors = append(sectors, ffi.PrivateSectorInfo{SectorInfo: proof.SectorInfo{SectorNumber: n}})
	}
	all := ffi.NewSortedPrivateSectorInfo(sectors...)
	part, err := ffi.SplitSortedPrivateSectorInfo(t.Context(), all, 1, 3)
	if v := part.Values(); err != nil || len(v) != 2 || v[0].SectorNumber != 1 || v[1].SectorNumber != 2 {
		t.Errorf("%v, %v", v, err)
	}
	part.Values()[0].SectorNumber = 9
	if all.Values()[1].SectorNumber != 1 {
		t.Error("the part is no copy")
	}
	for _, place := range [][2]int{{-1, 1}, {2, 1}, {0, 5}, {5, 5}} {
		if _, err := ffi.SplitSortedPrivateSectorInfo(t.Context(), all, place[0], place[1]); err == nil {
			t.Errorf("%v: no error", place)
		}
	}
}

// Lists of sectors come from the disk of a storage provider.
func FuzzSectorsJSON(f *testing.F) {
	for _, s := range []string{"", "null", "[]", "[{}]", "{}", `[{"SealProof":5,"SectorNumber":7,"SealedCID":{"/":"baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"},"CacheDirPath":"/x"}]`, `[{"SectorNumber":-1}]`, `[{"SealedCID":{"/":"x"}}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s ffi.SortedPrivateSectorInfo
		if s.UnmarshalJSON(raw) != nil {
			return
		}
		again, err := json.Marshal(s)
		if err != nil {
			return // what has no CID can be read and not written, as with the original
		}
		var second ffi.SortedPrivateSectorInfo
		if err := second.UnmarshalJSON(again); err != nil || !reflect.DeepEqual(s, second) {
			t.Errorf("%q became %q: %v", raw, again, err)
		}
	})
}

// An environment that people write by hand: whatever is in it, the error names the variable.
func FuzzSettings(f *testing.F) {
	f.Add("wazero", "wazero,wazero-interpreter", "1")
	f.Add("", ",,", "")
	f.Add(" wazero ", "wazero,wazero", "yes")
	f.Fuzz(func(t *testing.T, engine, shadow, halt string) {
		env := map[string]string{"EDGEFVM_ENGINE": engine, "EDGEFVM_SHADOW": shadow, "EDGEFVM_SHADOW_HALT": halt}
		s, err := ffi.SettingsFrom(func(name string) string { return env[name] })
		if err != nil && !strings.Contains(err.Error(), "EDGEFVM_") {
			t.Errorf("%v", err)
		}
		if err == nil && len(s.Shadow) > 3 {
			t.Errorf("%q are too many", s.Shadow)
		}
	})
}
