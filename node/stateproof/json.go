package stateproof

import (
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/eth"
)

// proofJSON is a proof as JSON has it.
type proofJSON struct {
	Address  string       `json:"address"`
	Exists   bool         `json:"exists"`
	ID       eth.Quantity `json:"actorId"`
	Balance  eth.Amount   `json:"balance"`
	Nonce    eth.Quantity `json:"nonce"`
	CodeHash eth.Hash     `json:"codeHash"`
	Slots    []slotJSON   `json:"storageProof"`
	Blocks   []blockJSON  `json:"blocks"`
}

type slotJSON struct {
	Key   eth.Hash `json:"key"`
	Value eth.Hash `json:"value"`
}

type blockJSON struct {
	CID  string   `json:"cid"`
	Data eth.Data `json:"data"`
}

// MarshalJSON writes {"address": "f410f…", "exists", "actorId", "balance", "nonce", "codeHash", "storageProof": [{"key", "value"}], "blocks":
// [{"cid", "data"}]}, numbers and data as Ethereum's JSON has them.
func (p *Proof) MarshalJSON() ([]byte, error) {
	v := proofJSON{
		Address: addr.String(p.Address), Exists: p.Exists, ID: eth.Quantity(p.ID), Balance: eth.Amount{Int: p.Balance}, Nonce: eth.Quantity(p.Nonce), CodeHash: p.CodeHash,
		Slots: []slotJSON{}, Blocks: make([]blockJSON, len(p.Blocks)),
	}
	for _, s := range p.Slots {
		v.Slots = append(v.Slots, slotJSON(s))
	}
	for i, b := range p.Blocks {
		v.Blocks[i] = blockJSON{b.CID.String(), b.Data}
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads the same.
func (p *Proof) UnmarshalJSON(data []byte) error {
	var v proofJSON
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	a, err := address.NewFromString(v.Address)
	if err != nil {
		return fmt.Errorf("the address of a proof: %w", err)
	}
	*p = Proof{Address: a, Exists: v.Exists, ID: abi.ActorID(v.ID), Balance: v.Balance.Big(), Nonce: uint64(v.Nonce), CodeHash: v.CodeHash}
	for _, s := range v.Slots {
		p.Slots = append(p.Slots, Slot(s))
	}
	for i, b := range v.Blocks {
		c, err := cid.Decode(b.CID)
		if err != nil {
			return fmt.Errorf("block %d of a proof: %w", i, err)
		}
		p.Blocks = append(p.Blocks, Block{c, b.Data})
	}
	return nil
}
