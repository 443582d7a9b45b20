package ethtrace

import (
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/trace"
)

// Logs collects the logs of messages and, if asked for, a log for each transfer of value, as eth_simulateV1 shows them.
type Logs struct {
	tracer    *Tracer
	transfers bool
}

// NewLogs makes one.
func NewLogs(transfers bool) *Logs {
	return &Logs{&Tracer{events: &trace.Recorder{}}, transfers}
}

// Hooks are for a machine.
func (l *Logs) Hooks() *trace.Hooks { return l.tracer.Hooks() }

// Take hands over the logs of the message that ended, in the order in which they came to be, without their place in the chain. Done needs no
// states.
func (l *Logs) Take(d *Done) ([]*eth.Log, error) {
	h, err := l.tracer.heard(d)
	if err != nil {
		return nil, err
	}
	list := []*eth.Log{}
	if f := nest(h.traces, true); f != nil {
		l.walk(f, &list)
	}
	return list, nil
}

var (
	// transferTopic is that of ERC-20's event Transfer(address,address,uint256).
	transferTopic = eth.Hash(ethtx.Keccak256([]byte("Transfer(address,address,uint256)")))
	// transferFrom is the address that such logs of value have, as EIP-7528 says.
	transferFrom = func() (a eth.Address) {
		for i := range a {
			a[i] = 0xee
		}
		return a
	}()
)

func (l *Logs) walk(f *Frame, list *[]*eth.Log) {
	if f.Error != "" {
		return
	}
	if l.transfers && f.Type != "DELEGATECALL" && f.Value != nil && f.Value.Big().Sign() > 0 && f.To != nil {
		t := &eth.Log{Address: transferFrom, Topics: []eth.Hash{transferTopic, topicOf(f.From), topicOf(*f.To)}, Data: make(eth.Data, 32)}
		f.Value.Big().FillBytes(t.Data)
		*list = append(*list, t)
	}
	next := 0
	for _, x := range f.Logs {
		for ; next < int(x.Position) && next < len(f.Calls); next++ {
			l.walk(f.Calls[next], list)
		}
		*list = append(*list, &eth.Log{Address: x.Address, Topics: x.Topics, Data: x.Data})
	}
	for _, below := range f.Calls[next:] {
		l.walk(below, list)
	}
}

// topicOf is an address as a topic.
func topicOf(a eth.Address) (h eth.Hash) {
	copy(h[len(h)-len(a):], a[:])
	return h
}
