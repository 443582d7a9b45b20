package ethapi

import (
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

// blockOverride is what contracts see of the block instead of what it is, by the names that versions of go-ethereum have had for it.
type blockOverride struct {
	Number        *eth.Quantity `json:"number"`
	BlockNumber   *eth.Quantity `json:"blockNumber"`
	Time          *eth.Quantity `json:"time"`
	Timestamp     *eth.Quantity `json:"timestamp"`
	BaseFee       *eth.Amount   `json:"baseFee"`
	BaseFeePerGas *eth.Amount   `json:"baseFeePerGas"`
	GasLimit      *eth.Quantity `json:"gasLimit"`
	Random        *eth.Hash     `json:"random"`
	PrevRandao    *eth.Hash     `json:"prevRandao"`
	// What Filecoin's contracts cannot see is refused unless it is 0.
	FeeRecipient *eth.Address `json:"feeRecipient"`
	Coinbase     *eth.Address `json:"coinbase"`
	Difficulty   *eth.Amount  `json:"difficulty"`
	BlobBaseFee  *eth.Amount  `json:"blobBaseFee"`
}

// apply puts it into a call's options.
func (o *blockOverride) apply(c *dev.CallOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	for _, n := range []*eth.Quantity{o.Number, o.BlockNumber} {
		if n != nil {
			epoch := abi.ChainEpoch(min(*n, 1<<62))
			c.Epoch = &epoch
		}
	}
	for _, t := range []*eth.Quantity{o.Time, o.Timestamp} {
		if t != nil {
			c.Timestamp = (*uint64)(t)
		}
	}
	for _, f := range []*eth.Amount{o.BaseFee, o.BaseFeePerGas} {
		if f != nil {
			c.BaseFee = &abi.TokenAmount{Int: f.Big()}
		}
	}
	if o.GasLimit != nil {
		c.MaxGas = max(int64(*o.GasLimit), 1)
	}
	for _, r := range []*eth.Hash{o.Random, o.PrevRandao} {
		if r != nil {
			c.Random = (*[32]byte)(r)
		}
	}
	return nil
}

const maxBaseFee = 128 // bits: what actors are told it in

func (o *blockOverride) check() error {
	refuse := func(what string) error {
		return &eth.Error{Code: eth.CodeInvalidParams, Message: "block override: " + what}
	}
	for _, who := range []*eth.Address{o.FeeRecipient, o.Coinbase} {
		if who != nil && *who != (eth.Address{}) {
			return refuse("feeRecipient cannot be set: COINBASE is 0 on Filecoin, where miners are paid by the reward actor")
		}
	}
	for _, f := range []*eth.Amount{o.BaseFee, o.BaseFeePerGas} {
		if f != nil && f.Big().BitLen() > maxBaseFee {
			return refuse("baseFee has more than 128 bits")
		}
	}
	switch {
	case o.Difficulty != nil && o.Difficulty.Big().Sign() != 0:
		return refuse("difficulty cannot be set: DIFFICULTY is PREVRANDAO, so set random")
	case o.BlobBaseFee != nil && o.BlobBaseFee.Big().Sign() != 0:
		return refuse("blobBaseFee cannot be set: Filecoin has no blobs")
	case o.GasLimit != nil && *o.GasLimit > chain.BlockGasLimit:
		return refuse("gasLimit is above that of Filecoin's blocks, 10,000,000,000, and so no call can use as much")
	}
	return nil
}

// gasLimit is the most gas that calls in the block may use.
func (o *blockOverride) gasLimit() int64 {
	if o.GasLimit != nil {
		return int64(*o.GasLimit)
	}
	return chain.BlockGasLimit
}
