package eth

import (
	"bytes"
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v10/eam"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/gas"
)

// Receipt is what executing a message gave.
type Receipt struct {
	TransactionHash   Hash     `json:"transactionHash"`
	TransactionIndex  Quantity `json:"transactionIndex"`
	BlockHash         Hash     `json:"blockHash"`
	BlockNumber       Quantity `json:"blockNumber"`
	From              Address  `json:"from"`
	To                *Address `json:"to"`
	Root              Hash     `json:"root"`
	Status            Quantity `json:"status"` // 1 if the exit code is 0
	ContractAddress   *Address `json:"contractAddress"`
	CumulativeGasUsed Quantity `json:"cumulativeGasUsed"`
	GasUsed           Quantity `json:"gasUsed"`
	EffectiveGasPrice Amount   `json:"effectiveGasPrice"`
	LogsBloom         Bloom    `json:"logsBloom"`
	Logs              []*Log   `json:"logs"`
	Type              Quantity `json:"type"`
}

// writer goes through the messages of a block.
type writer struct {
	t       *Tipset
	block   *Block
	gasUsed int64
	events  int // of all messages so far
	logs    int
	known   map[abi.ActorID]Address
}

// receipt makes the next message's. Tools count logs and gas through the block, and have an event without topics and
// data as a log. Strict, as Lotus, says 0 for cumulative gas, and counts as logs' index all events of the block, those of
// builtin actors too.
func (w *writer) receipt(ctx context.Context, tx *Transaction, res *fvm.Result) (*Receipt, error) {
	w.gasUsed += res.GasUsed
	r := &Receipt{
		TransactionHash: tx.Hash, TransactionIndex: *tx.TransactionIndex, BlockHash: w.block.Hash, BlockNumber: w.block.Number, From: tx.From, To: tx.To,
		GasUsed: Quantity(res.GasUsed), Logs: []*Log{}, Type: tx.Type,
		EffectiveGasPrice: Amount{EffectiveGasPrice(res.GasUsed, int64(tx.Gas), w.t.BaseFee, tx.feeCap(), tx.premium()).Int},
	}
	if w.t.Manner != Strict {
		r.CumulativeGasUsed = Quantity(w.gasUsed)
	}
	if res.ExitCode.IsSuccess() {
		r.Status = 1
		if tx.To == nil {
			var ret eam.CreateExternalReturn
			if err := ret.UnmarshalCBOR(bytes.NewReader(res.Return)); err != nil {
				return nil, fmt.Errorf("what the address manager returned of a deployed contract: %w", err)
			}
			created := Address(ret.EthAddress)
			r.ContractAddress = &created
		}
	}
	if w.t.NoEvents {
		return r, nil
	}
	for i := range res.Events {
		log, err := w.log(ctx, &res.Events[i])
		if err != nil {
			return nil, err
		}
		if log != nil {
			log.TransactionHash, log.TransactionIndex, log.BlockHash, log.BlockNumber = r.TransactionHash, r.TransactionIndex, r.BlockHash, r.BlockNumber
			r.Logs = append(r.Logs, log)
			r.LogsBloom.addLog(log.Address, log.Topics)
		}
	}
	return r, nil
}

// log makes a log of the next event; nil of one that is none.
func (w *writer) log(ctx context.Context, e *fvm.Event) (*Log, error) {
	index := w.events
	w.events++
	emitter, err := w.emitter(ctx, e.Emitter)
	if err != nil {
		return nil, err
	}
	topics, data, ok := LogOf(e.Entries)
	if ok {
		w.block.LogsBloom.addLog(emitter, topics)
	}
	if w.t.Manner == Strict {
		// Quirk: Lotus asks its index for the raw entries of events, so an event without any is no log, and one with others
		// besides is a log without them. The bloom of the block is made of events as they are.
		raw := rawOnly(e.Entries)
		if topics, data, ok = LogOf(raw); len(raw) == 0 {
			return nil, nil
		}
	}
	if !ok {
		return nil, nil
	}
	if w.t.Manner != Strict {
		index = w.logs
	}
	w.logs++
	return &Log{Address: emitter, Data: data, Topics: topics, LogIndex: Quantity(index), Emitter: e.Emitter}, nil
}

func (w *writer) emitter(ctx context.Context, id abi.ActorID) (Address, error) {
	if eth, ok := w.known[id]; ok {
		return eth, nil
	}
	eth, _, err := AddressOf(ctx, addr.NewID(uint64(id)), w.t.Lookup)
	if err != nil {
		return eth, fmt.Errorf("who emitted an event: %w", err)
	}
	if w.known == nil {
		w.known = map[abi.ActorID]Address{}
	}
	w.known[id] = eth
	return eth, nil
}

func (tx *Transaction) feeCap() big.Int {
	if tx.MaxFeePerGas != nil {
		return big.Int{Int: tx.MaxFeePerGas.Big()}
	}
	return big.Int{Int: tx.GasPrice.Big()}
}

func (tx *Transaction) premium() big.Int {
	if tx.MaxPriorityFeePerGas != nil {
		return big.Int{Int: tx.MaxPriorityFeePerGas.Big()}
	}
	return big.Int{Int: tx.GasPrice.Big()}
}

// EffectiveGasPrice is what a message paid (base fee, tip, and the burn of a limit that is too high) by its gas used,
// rounded down; 0 if it used none. In attoFIL a unit of gas.
func EffectiveGasPrice(used, limit int64, baseFee, feeCap, premium big.Int) big.Int {
	if used <= 0 || limit < 0 {
		return big.Zero()
	}
	o := gas.ComputeOutputs(uint64(used), uint64(limit), baseFee, feeCap, premium)
	return big.Div(big.Sum(o.BaseFeeBurn, o.MinerTip, o.OverEstimationBurn), big.NewInt(used))
}
