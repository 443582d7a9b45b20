// A development network of Lotus that runs for a while on EdgeFVM: itests/devnet.sh puts this file into a module that
// requires Lotus. It is no part of the module ffi.
package lotusitests

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/filecoin-project/lotus/itests/kit"
)

func word(n uint64) []byte {
	b := make([]byte, 32)
	binary.BigEndian.PutUint64(b[24:], n)
	return b
}

// masked is an ID as an address of Ethereum, in a word.
func masked(id uint64) []byte {
	w := word(id)
	w[12] = 0xff
	return w
}

// sum adds up a metric over its labels.
func sum(t *testing.T, name string) (total float64) {
	families, err := prometheus.DefaultGatherer.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				total += m.GetCounter().GetValue()
				t.Logf("%s %v: %.0f", name, m.GetLabel(), m.GetCounter().GetValue())
			}
		}
	}
	return total
}

func TestDevnet(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("DEVNET_TIME"))
	require.NoError(t, err, "DEVNET_TIME")
	contracts := filepath.Join(os.Getenv("LOTUS_DIR"), "itests", "contracts")
	kit.QuietMiningLogs()
	node, _, ens := kit.EnsembleMinimal(t, kit.MockProofs(), kit.ThroughRPC())
	ens.InterconnectAll().BeginMining(500 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), length+10*time.Minute)
	defer cancel()

	evm := node.EVM()
	from, coin := evm.DeployContractFromFilename(ctx, filepath.Join(contracts, "SimpleCoin.hex"))
	_, events := evm.DeployContractFromFilename(ctx, filepath.Join(contracts, "EventMatrix.hex"))
	_, recurse := evm.DeployContractFromFilename(ctx, filepath.Join(contracts, "RecCall.hex"))
	owner, err := node.StateLookupID(ctx, from, types.EmptyTSK)
	require.NoError(t, err)
	id, err := address.IDFromAddress(owner)
	require.NoError(t, err)
	mine := masked(id)

	balance := func() uint64 {
		out, _, err := evm.InvokeContractByFuncName(ctx, from, coin, "getBalance(address)", mine)
		require.NoError(t, err)
		return binary.BigEndian.Uint64(out[24:])
	}
	first := balance()
	require.NotZero(t, first)
	begin, err := node.ChainHead(ctx)
	require.NoError(t, err)

	rounds := uint64(0)
	for start := time.Now(); time.Since(start) < length; rounds++ {
		_, _, err := evm.InvokeContractByFuncName(ctx, from, coin, "sendCoin(address,uint256)", append(masked(5000+rounds), word(1)...))
		require.NoError(t, err)
		wait, err := evm.InvokeSolidity(ctx, from, events, kit.EventMatrixContract.Fn["logEventTwoIndexedWithData"], slices.Concat(word(rounds), word(2), word(3)))
		require.NoError(t, err)
		require.True(t, wait.Receipt.ExitCode.IsSuccess())
		require.NotNil(t, wait.Receipt.EventsRoot)
		wait, err = evm.InvokeSolidity(ctx, from, recurse, kit.CalcFuncSignature("exec1(uint256,uint256,uint256)"), slices.Concat(word(5+rounds%20), word(5), word(3)))
		require.NoError(t, err)
		require.True(t, wait.Receipt.ExitCode.IsSuccess())
		target, err := ethtypes.EthAddressFromFilecoinAddress(coin)
		require.NoError(t, err)
		_, err = node.EthCall(ctx, ethtypes.EthCall{To: &target, Data: append(kit.CalcFuncSignature("getBalance(address)"), mine...)}, ethtypes.NewEthBlockNumberOrHashFromPredefined("latest"))
		require.NoError(t, err)
		// A plain transfer to an address that is new.
		fresh, err := address.NewDelegatedAddress(10, word(rounds + 1)[12:])
		require.NoError(t, err)
		sm, err := node.MpoolPushMessage(ctx, &types.Message{From: from, To: fresh, Value: big.NewInt(1000)}, nil)
		require.NoError(t, err)
		got, err := node.StateWaitMsg(ctx, sm.Cid(), 1, 100, true)
		require.NoError(t, err)
		require.True(t, got.Receipt.ExitCode.IsSuccess())
	}
	require.Equal(t, first-rounds, balance())
	end, err := node.ChainHead(ctx)
	require.NoError(t, err)
	fmt.Printf("DEVNET %s: epochs %d to %d, %d rounds of four messages, %.0f messages executed, %.0f differences, root %s\n", length,
		begin.Height(), end.Height(), rounds, sum(t, "edgefvm_messages_total"), sum(t, "edgefvm_differences_total"), hex.EncodeToString(end.ParentState().Hash()[:8]))
	sum(t, "edgefvm_code_lookups_total")
	require.Zero(t, sum(t, "edgefvm_differences_total"))
	require.Greater(t, int64(end.Height()-begin.Height()), int64(length/time.Second))
}
