package ethtrace

import (
	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/eth"
)

// emitted is an event that a call's actor emitted.
type emitted struct {
	after int // so many of the call's own calls
	event *fvm.Event
	index int // among the message's logs
}

// FrameLog is a log as the callTracer shows it, in the call that emitted it.
type FrameLog struct {
	Address eth.Address `json:"address"`
	Topics  []eth.Hash  `json:"topics"`
	Data    eth.Data    `json:"data"`
	// Index in the block, Position among the calls of its own call: so many of them began before.
	Index    eth.Quantity `json:"index"`
	Position eth.Quantity `json:"position"`
}

// emits tells a charge that an event is kept by, in the price lists of all network versions.
func emits(charge string) bool { return charge == "OnActorEvent" || charge == "OnActorEventAccept" }

// assign gives the message's events to the calls that emitted them. What a call emitted that failed, or whose caller failed, is not
// among the events. A charge can be for an event that was refused after it, so the emitter must agree.
func (f *Frames) assign(events []fvm.Event) {
	next, logs := 0, 0
	var walk func(c *call)
	walk = func(c *call) {
		if c != f.root && !c.ok() {
			c.emits = nil
			return
		}
		below := 0
		kept := c.emits[:0]
		upTo := func(n int) {
			for ; below < n; below++ {
				walk(c.calls[below])
			}
		}
		for _, e := range c.emits {
			upTo(e.after)
			if next == len(events) || c.invoked == nil || events[next].Emitter != c.invoked.ID {
				continue
			}
			e.event = &events[next]
			next++
			if _, _, ok := eth.LogOf(e.event.Entries); ok {
				e.index = logs
				logs++
				kept = append(kept, e)
			}
		}
		upTo(len(c.calls))
		c.emits = kept
	}
	walk(f.root)
}

// logs are those of a call. shown says how many of the calls below are shown before each.
func (c *call) logs(shown []int) (list []FrameLog) {
	for _, e := range c.emits {
		if e.event == nil {
			continue
		}
		topics, data, _ := eth.LogOf(e.event.Entries)
		list = append(list, FrameLog{Address: c.receiver(), Topics: topics, Data: data, Index: eth.Quantity(e.index), Position: eth.Quantity(shown[e.after])})
	}
	return list
}

func (f *Frame) shiftLogs(by eth.Quantity) {
	for i := range f.Logs {
		f.Logs[i].Index += by
	}
	for _, below := range f.Calls {
		below.shiftLogs(by)
	}
}
