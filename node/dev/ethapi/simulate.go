package ethapi

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
)

// Limits of eth_simulateV1: those of go-ethereum for blocks, and fewer calls, which take longer here.
const (
	maxSimulated      = 256
	maxSimulatedCalls = 1000
	epochSeconds      = 30
)

// Codes of eth_simulateV1's errors, as go-ethereum has them.
const (
	codeNonceHigh   = -38011
	codeNonceLow    = -38010
	codeFeeLow      = -38012
	codeIntrinsic   = -38013
	codeFunds       = -38014
	codeBlockGas    = -38015
	codeBlockNumber = -38020
	codeBlockTime   = -38021
	codeTooMuch     = -38026
	codeVM          = -32015
)

// simulation is what eth_simulateV1 takes.
type simulation struct {
	Blocks     []simulatedBlock `json:"blockStateCalls"`
	Transfers  bool             `json:"traceTransfers"`
	Validation bool             `json:"validation"`
	Full       bool             `json:"returnFullTransactions"`
}

type simulatedBlock struct {
	Block blockOverride `json:"blockOverrides"`
	State stateOverride `json:"stateOverrides"`
	Calls []eth.Call    `json:"calls"`
}

// simulatedCall is what a call gave.
type simulatedCall struct {
	ReturnData eth.Data     `json:"returnData"`
	Logs       []*eth.Log   `json:"logs"`
	GasUsed    eth.Quantity `json:"gasUsed"`
	MaxUsedGas eth.Quantity `json:"maxUsedGas"`
	Status     eth.Quantity `json:"status"`
	Error      *callFailure `json:"error,omitempty"`
}

type callFailure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// simulated is a block as eth_simulateV1 shows it.
type simulated struct {
	*eth.Block
	Calls []*simulatedCall `json:"calls"`
}

// simulate is eth_simulateV1: blocks of calls upon a block, each upon the state that those before left. The blocks' hashes are made up, and
// their state and receipts have no roots of Ethereum's.
func (a *API) simulate(ctx context.Context, in simulation, ref blockParam) ([]*simulated, error) {
	base, err := a.read(ref)
	if err != nil {
		return nil, err
	}
	blocks, err := in.sanitize(base)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, traceTime, errTime)
	defer cancel()
	release, err := a.tracing(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	s := &simulating{a: a, in: &in, base: base, hash: base.Hash}
	if s.name, err = a.nameIn(ctx, base); err != nil {
		return nil, err
	}
	list := make([]*simulated, 0, len(blocks))
	for i := range blocks {
		done, err := s.run(ctx, &blocks[i])
		if err != nil {
			return nil, tooLong(ctx, err)
		}
		list = append(list, done)
	}
	return list, nil
}

// sanitize numbers and times the blocks, and puts empty ones into the gaps.
func (in *simulation) sanitize(base *dev.Block) ([]simulatedBlock, error) {
	if len(in.Blocks) == 0 {
		return nil, &eth.Error{Code: eth.CodeInvalidParams, Message: "empty input"}
	}
	tooMuch := &eth.Error{Code: codeTooMuch, Message: fmt.Sprintf("too many blocks or calls: at most %d and %d are taken", maxSimulated, maxSimulatedCalls)}
	number, time := uint64(base.Epoch()), base.Timestamp()
	first, calls := number, 0
	var out []simulatedBlock
	for _, b := range in.Blocks {
		if calls += len(b.Calls); calls > maxSimulatedCalls {
			return nil, tooMuch
		}
		wanted := number + 1
		for _, n := range []*eth.Quantity{b.Block.Number, b.Block.BlockNumber} {
			if n != nil {
				wanted = uint64(*n)
			}
		}
		if wanted <= number {
			return nil, &eth.Error{Code: codeBlockNumber, Message: fmt.Sprintf("block numbers must be in order: %d <= %d", wanted, number)}
		}
		if wanted-first > maxSimulated {
			return nil, tooMuch
		}
		for number++; number < wanted; number++ {
			time += epochSeconds
			out = append(out, simulatedBlock{Block: at(number, time)})
		}
		next := time + epochSeconds
		for _, t := range []*eth.Quantity{b.Block.Time, b.Block.Timestamp} {
			if t == nil {
				continue
			}
			if next = uint64(*t); next <= time {
				return nil, &eth.Error{Code: codeBlockTime, Message: fmt.Sprintf("block timestamps must be in order: %d <= %d", next, time)}
			}
		}
		time = next
		set := at(number, time)
		b.Block.Number, b.Block.Time, b.Block.BlockNumber, b.Block.Timestamp = set.Number, set.Time, nil, nil
		out = append(out, b)
	}
	return out, nil
}

func at(number, time uint64) blockOverride {
	n, t := eth.Quantity(number), eth.Quantity(time)
	return blockOverride{Number: &n, Time: &t}
}

// simulating is a simulation that runs.
type simulating struct {
	a    *API
	in   *simulation
	base *dev.Block
	name func(cid.Cid) (string, bool)
	on   *dev.CallState // nil: the base's
	hash eth.Hash       // of the block before
}

func (s *simulating) run(ctx context.Context, in *simulatedBlock) (*simulated, error) {
	set := dev.CallOptions{}
	if err := in.Block.apply(&set); err != nil {
		return nil, err
	}
	set.MaxGas = 0
	if set.BaseFee == nil {
		fee := big.Zero() // as with go-ethereum, unless fees count
		if s.in.Validation {
			fee = s.base.NextBaseFee
		}
		set.BaseFee = &fee
	}
	parent := s.hash
	s.hash = keccak(binary.BigEndian.AppendUint64(append([]byte("edgefvm simulated block "), parent[:]...), uint64(*in.Block.Number)))
	limit := in.Block.gasLimit()
	done := &simulated{Calls: []*simulatedCall{}, Block: &eth.Block{
		Hash: s.hash, ParentHash: parent, Number: *in.Block.Number, Timestamp: *in.Block.Time, GasLimit: eth.Quantity(limit), BaseFeePerGas: eth.Amount{Int: set.BaseFee.Int},
		Nonce: make(eth.Data, 8), Uncles: []eth.Hash{}, Sha3Uncles: noUncles,
	}}
	hashes, full := []eth.Hash{}, []*eth.Transaction{}
	left, logs := limit, 0
	override := in.State.edit()
	for i := range in.Calls {
		c := &in.Calls[i]
		o := set
		o.Edit, override = override, nil // once, before the first
		tx, res, err := s.call(ctx, c, o, left)
		if err != nil {
			return nil, err
		}
		left -= res.gas
		index := eth.Quantity(i)
		tx.BlockHash, tx.BlockNumber, tx.TransactionIndex = &done.Hash, &done.Number, &index
		for _, l := range res.call.Logs {
			l.BlockHash, l.BlockNumber, l.TransactionHash, l.TransactionIndex, l.LogIndex = s.hash, done.Number, tx.Hash, index, eth.Quantity(logs)
			logs++
			done.LogsBloom.Add(l.Address[:])
			for _, topic := range l.Topics {
				done.LogsBloom.Add(topic[:])
			}
		}
		hashes, full, done.Calls = append(hashes, tx.Hash), append(full, tx), append(done.Calls, res.call)
	}
	if override != nil { // a block without calls
		if err := s.change(ctx, override); err != nil {
			return nil, err
		}
	}
	done.GasUsed = eth.Quantity(limit - left)
	done.Transactions = hashes
	if s.in.Full {
		done.Transactions = full
	}
	return done, nil
}

// change edits the state that the next call is upon.
func (s *simulating) change(ctx context.Context, f dev.EditFunc) error {
	if s.on == nil {
		s.on = &dev.CallState{Root: s.base.Root, Store: &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.base.Store()}}
	}
	b := blockstore.NewBuffered(s.on.Store)
	root, err := f(ctx, b, s.on.Root)
	if err != nil {
		return err
	}
	if err := b.Flush(ctx, root); err != nil {
		return err
	}
	s.on = &dev.CallState{Root: root, Store: s.on.Store}
	return nil
}

// outcome is what a call came to.
type outcome struct {
	call *simulatedCall
	gas  int64
}

func (s *simulating) call(ctx context.Context, c *eth.Call, o dev.CallOptions, left int64) (*eth.Transaction, outcome, error) {
	var none outcome
	if o.Edit != nil {
		if err := s.change(ctx, o.Edit); err != nil {
			return nil, none, err
		}
		o.Edit = nil
	}
	msg, err := c.Message(s.a.manner)
	if err != nil {
		return nil, none, err
	}
	msg.GasLimit = left
	if c.Gas != nil {
		if uint64(*c.Gas) > uint64(left) {
			return nil, none, &eth.Error{Code: codeBlockGas, Message: fmt.Sprintf("block gas limit reached: %d > %d", uint64(*c.Gas), left)}
		}
		msg.GasLimit = int64(*c.Gas)
	}
	account, err := s.sender(ctx, msg)
	if err != nil {
		return nil, none, err
	}
	if s.in.Validation {
		if err := s.validate(c, msg, account, o.BaseFee.Int.Int64()); err != nil {
			return nil, none, err
		}
		o.Explicit = true
	}
	t := ethtrace.NewLogs(s.in.Transfers)
	o.On, o.States, o.Hooks = s.on, true, t.Hooks()
	res, err := s.a.chain.Call(ctx, s.base, msg, o)
	if err != nil {
		return nil, none, s.a.refused(err)
	}
	if s.in.Validation && res.GasUsed == 0 {
		return nil, none, &eth.Error{Code: codeIntrinsic, Message: "the network would refuse the transaction: " + res.Failure}
	}
	s.on = res.After
	if !s.in.Validation {
		// An implicit message leaves the nonce as it is.
		if err := s.change(ctx, raiseNonce(msg, account.nonce)); err != nil {
			return nil, none, err
		}
	}
	out := &simulatedCall{GasUsed: eth.Quantity(res.GasUsed), MaxUsedGas: eth.Quantity(res.GasUsed), Logs: []*eth.Log{}}
	if c.To != nil || !res.ExitCode.IsSuccess() {
		out.ReturnData, _ = contractData(res.Return)
	}
	if res.ExitCode.IsSuccess() {
		out.Status = 1
		if out.Logs, err = t.Take(s.done(c, res)); err != nil {
			return nil, none, err
		}
	} else {
		e := eth.Reverted(s.a.manner, eth.Failure{ExitCode: res.ExitCode, Return: res.Return, Words: res.Failure})
		const reverted = 33
		out.Error = &callFailure{Code: e.Code, Message: e.Message, Data: e.Data}
		if res.ExitCode != reverted {
			out.Error.Code, out.Error.Data = codeVM, nil
		}
	}
	return s.transaction(c, msg, account.nonce), outcome{out, res.GasUsed}, nil
}

func (s *simulating) done(c *eth.Call, res *dev.CallResult) *ethtrace.Done {
	d := &ethtrace.Done{Result: res.Result, Create: c.To == nil, Manner: s.a.manner, Name: s.name}
	if c.From != nil {
		d.From = *c.From
	}
	return d
}

// noUncles is Keccak-256 of an empty list in RLP.
var noUncles = keccak(eth.Data{0xc0})

// transaction is a call in the words of a transaction; its hash is made up, as nobody signed it.
func (s *simulating) transaction(c *eth.Call, msg *fvm.Message, nonce uint64) *eth.Transaction {
	id := eth.Quantity(s.a.chain.ChainID())
	tx := &eth.Transaction{ChainID: &id, Nonce: eth.Quantity(nonce), To: c.To, Value: eth.Amount{Int: c.Value.Big()}, Type: 2, Input: c.Input, Gas: eth.Quantity(msg.GasLimit)}
	if c.From != nil {
		tx.From = *c.From
	}
	zero := eth.NewAmount(0)
	tx.MaxFeePerGas, tx.MaxPriorityFeePerGas = &zero, &zero
	text := fmt.Appendf(nil, "edgefvm simulated transaction %x %s %d %v %s %s", s.hash, tx.From, nonce, tx.To, tx.Value, tx.Input)
	tx.Hash = keccak(text)
	return tx
}

// simulatedSender is who sends a call.
type simulatedSender struct {
	nonce   uint64
	balance *abi.TokenAmount
}

func (s *simulating) sender(ctx context.Context, msg *fvm.Message) (simulatedSender, error) {
	root, store := s.base.Root, s.base.Store()
	if s.on != nil {
		root, store = s.on.Root, s.on.Store
	}
	v, err := ethtrace.Look(ctx, store, root)
	if err != nil {
		return simulatedSender{}, err
	}
	zero := big.Zero()
	who := simulatedSender{balance: &zero}
	acc, err := v.Account(ctx, msg.From)
	if err == nil && acc != nil {
		who = simulatedSender{acc.Nonce, &abi.TokenAmount{Int: acc.Balance.Big()}}
	}
	return who, err
}

// validate checks what the network would refuse, in the words and codes of go-ethereum.
func (s *simulating) validate(c *eth.Call, msg *fvm.Message, from simulatedSender, baseFee int64) error {
	fee := big.Zero()
	switch {
	case c.MaxFeePerGas != nil:
		fee = big.Int{Int: c.MaxFeePerGas.Big()}
	case c.GasPrice != nil:
		fee = big.Int{Int: c.GasPrice.Big()}
	}
	msg.GasFeeCap, msg.GasPremium = fee, big.Zero()
	if c.MaxPriorityFeePerGas != nil {
		msg.GasPremium = big.Int{Int: c.MaxPriorityFeePerGas.Big()}
	}
	cost := big.Add(big.Mul(fee, big.NewInt(msg.GasLimit)), big.Int{Int: c.Value.Big()})
	refuse := func(code int, format string, args ...any) error {
		return &eth.Error{Code: code, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case c.Nonce != nil && uint64(*c.Nonce) < from.nonce:
		return refuse(codeNonceLow, "nonce too low: next nonce %d, tx nonce %d", from.nonce, uint64(*c.Nonce))
	case c.Nonce != nil && uint64(*c.Nonce) > from.nonce:
		return refuse(codeNonceHigh, "nonce too high: next nonce %d, tx nonce %d", from.nonce, uint64(*c.Nonce))
	case big.Cmp(fee, big.NewInt(baseFee)) < 0:
		return refuse(codeFeeLow, "max fee per gas less than block base fee: maxFeePerGas: %s, baseFee: %d", fee, baseFee)
	case big.Cmp(cost, *from.balance) > 0:
		return refuse(codeFunds, "insufficient funds for gas * price + value: have %s want %s", *from.balance, cost)
	}
	return nil
}

// raiseNonce makes an account's nonce the next one, as a transaction does.
func raiseNonce(msg *fvm.Message, nonce uint64) dev.EditFunc {
	return func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		e, err := edit.Open(ctx, b, root)
		if err != nil {
			return root, err
		}
		_, st, err := e.Actor(ctx, msg.From)
		if err != nil {
			return root, err
		}
		switch e.Name(st.Code) {
		case "account", "ethaccount", "placeholder":
			if err := e.SetNonce(ctx, msg.From, nonce+1); err != nil {
				return root, err
			}
			return e.Flush(ctx)
		}
		return root, nil
	}
}
