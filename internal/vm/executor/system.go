package executor

import (
	"bytes"
	"fmt"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
)

// The gas limits of the system's messages, as nodes set them.
const (
	cronGasLimit   = 10_000_000_000 * 10_000
	rewardGasLimit = 1 << 30
)

// The methods of the system's messages.
const (
	methodEpochTick        = 2
	methodAwardBlockReward = 2
)

// CronMessage is the message that ends an epoch.
func CronMessage(epoch abi.ChainEpoch) *Message {
	return systemMessage(epoch, actors.CronActor, methodEpochTick, cronGasLimit, nil)
}

// RewardMessage is the message that pays a block's miner. penalty and tip are those of the block's messages, wins is the win count of
// its election proof; a negative one is an error.
func RewardMessage(epoch abi.ChainEpoch, miner address.Address, penalty, tip abi.TokenAmount, wins int64) (*Message, error) {
	params, err := rewardParams(miner, penalty, tip, wins)
	if err != nil {
		return nil, err
	}
	return systemMessage(epoch, actors.RewardActor, methodAwardBlockReward, rewardGasLimit, params), nil
}

func systemMessage(epoch abi.ChainEpoch, to, method, limit uint64, params []byte) *Message {
	return &Message{
		From: addr.NewID(actors.SystemActor), To: addr.NewID(to), Nonce: uint64(epoch), Method: abi.MethodNum(method),
		Value: big.Zero(), GasFeeCap: big.Zero(), GasPremium: big.Zero(), GasLimit: int64(limit), Params: params,
	}
}

// rewardParams are the parameters of the reward actor's AwardBlockReward: [miner, penalty, gas reward, win count].
func rewardParams(miner address.Address, penalty, tip abi.TokenAmount, wins int64) ([]byte, error) {
	if wins < 0 {
		return nil, fmt.Errorf("the win count %d is negative", wins)
	}
	var b bytes.Buffer
	b.Write(cbor.AppendArray(nil, 4))
	for _, part := range []interface{ MarshalCBOR(io.Writer) error }{&miner, &penalty, &tip} {
		if err := part.MarshalCBOR(&b); err != nil {
			return nil, fmt.Errorf("encoding the parameters of a block reward: %w", err)
		}
	}
	b.Write(cbor.AppendUint(nil, uint64(wins)))
	return b.Bytes(), nil
}
