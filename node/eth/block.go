package eth

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
)

// Block is a tipset as Ethereum shows blocks. What Filecoin has nothing for is 0.
type Block struct {
	Hash             Hash     `json:"hash"`
	ParentHash       Hash     `json:"parentHash"`
	Sha3Uncles       Hash     `json:"sha3Uncles"`
	Miner            Address  `json:"miner"`
	StateRoot        Hash     `json:"stateRoot"`
	TransactionsRoot Hash     `json:"transactionsRoot"`
	ReceiptsRoot     Hash     `json:"receiptsRoot"`
	LogsBloom        Bloom    `json:"logsBloom"`
	Difficulty       Quantity `json:"difficulty"`
	TotalDifficulty  Quantity `json:"totalDifficulty"`
	Number           Quantity `json:"number"`   // the epoch
	GasLimit         Quantity `json:"gasLimit"` // of all blocks of the tipset
	GasUsed          Quantity `json:"gasUsed"`
	Timestamp        Quantity `json:"timestamp"` // in seconds since 1970
	ExtraData        Data     `json:"extraData"`
	MixHash          Hash     `json:"mixHash"`
	Nonce            Data     `json:"nonce"`
	BaseFeePerGas    Amount   `json:"baseFeePerGas"`
	Size             Quantity `json:"size"`
	// Transactions are a []Hash or a []*Transaction, as asked for.
	Transactions any    `json:"transactions"`
	Uncles       []Hash `json:"uncles"`
}

// Full is the block with its transactions whole instead of their hashes.
func (b Block) Full(txs []*Transaction) *Block {
	b.Transactions = append(make([]*Transaction, 0, len(txs)), txs...)
	return &b
}

var (
	// noUncles is Keccak-256 of an empty list in RLP, and noTransactions the root of an empty trie.
	noUncles       = mustHash("0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
	noTransactions = mustHash("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
)

func mustHash(s string) (h Hash) {
	if err := json.Unmarshal([]byte(`"`+s+`"`), &h); err != nil {
		panic(err)
	}
	return h
}

// Tipset is a tipset that was executed.
type Tipset struct {
	View
	Key, Parents cid.Cid // of the keys: chain.Key.CID
	Epoch        uint64
	Timestamp    uint64
	BaseFee      big.Int // that its messages paid, in attoFIL a unit of gas
	Blocks       int
	// Messages in the order in which they were executed, each once; Results are theirs. Of a result the exit code, the
	// return, the gas used and the events are looked at.
	Messages []chain.Message
	Results  []*fvm.Result
	// NoEvents says that nobody has the events: logs are missing, and of the bloom all bits are set.
	NoEvents bool
}

// Rendered is a tipset in Ethereum's words. Nothing in it changes any more.
type Rendered struct {
	Block        *Block // its Transactions are hashes
	Transactions []*Transaction
	Receipts     []*Receipt
}

// Render says a tipset in Ethereum's words: native messages too are transactions; cron and rewards are not.
func Render(ctx context.Context, t *Tipset) (*Rendered, error) {
	if len(t.Messages) != len(t.Results) {
		return nil, fmt.Errorf("epoch %d: %d messages and %d results", t.Epoch, len(t.Messages), len(t.Results))
	}
	hash, err := HashOf(t.Key)
	if err != nil {
		return nil, fmt.Errorf("epoch %d: the tipset's key: %w", t.Epoch, err)
	}
	parent, err := HashOf(t.Parents)
	if err != nil {
		return nil, fmt.Errorf("epoch %d: the parents' key: %w", t.Epoch, err)
	}
	b := &Block{
		Hash: hash, ParentHash: parent, Sha3Uncles: noUncles, Number: Quantity(t.Epoch), GasLimit: Quantity(chain.BlockGasLimit * int64(t.Blocks)),
		Timestamp: Quantity(t.Timestamp), Nonce: make(Data, 8), BaseFeePerGas: Amount{t.BaseFee.Int}, Uncles: []Hash{},
	}
	if len(t.Messages) == 0 {
		b.TransactionsRoot = noTransactions
	}
	w := &writer{t: t, block: b}
	hashes := make([]Hash, 0, len(t.Messages))
	r := &Rendered{Block: b, Transactions: make([]*Transaction, 0, len(t.Messages)), Receipts: make([]*Receipt, 0, len(t.Messages))}
	for i := range t.Messages {
		tx, err := t.Transaction(ctx, &t.Messages[i])
		if err != nil {
			return nil, fmt.Errorf("epoch %d: %w", t.Epoch, err)
		}
		index := Quantity(i)
		tx.BlockHash, tx.BlockNumber, tx.TransactionIndex = &b.Hash, &b.Number, &index
		receipt, err := w.receipt(ctx, tx, t.Results[i])
		if err != nil {
			return nil, fmt.Errorf("epoch %d, message %s: %w", t.Epoch, t.Messages[i].CID, err)
		}
		if t.Manner != Strict {
			price := receipt.EffectiveGasPrice
			if tx.MaxFeePerGas != nil {
				tx.GasPrice = &price
			}
		}
		hashes = append(hashes, tx.Hash)
		r.Transactions, r.Receipts = append(r.Transactions, tx), append(r.Receipts, receipt)
	}
	b.GasUsed, b.Transactions = Quantity(w.gasUsed), hashes
	if t.NoEvents {
		for i := range b.LogsBloom {
			b.LogsBloom[i] = 0xff
		}
	}
	return r, nil
}
