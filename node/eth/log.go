package eth

import (
	"encoding/binary"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/ethtx"
)

// Log is an event of a contract, or of another actor that emits events as contracts do.
type Log struct {
	Address          Address  `json:"address"`
	Data             Data     `json:"data"`
	Topics           []Hash   `json:"topics"`
	Removed          bool     `json:"removed"` // by a reorganisation of the chain
	LogIndex         Quantity `json:"logIndex"`
	TransactionIndex Quantity `json:"transactionIndex"`
	TransactionHash  Hash     `json:"transactionHash"`
	BlockHash        Hash     `json:"blockHash"`
	BlockNumber      Quantity `json:"blockNumber"`

	// Emitter is the actor; filters by its masked ID find the log as well.
	Emitter abi.ActorID `json:"-"`
}

const maxTopics = 4

// LogOf reads the topics and the data of an event, which contracts emit as t1 to t4 and d (FIP-0054), all raw. Events that
// have a value of another codec, a topic or the data twice, a topic that has not 32 bytes, or a topic without those before
// it are no logs; other keys are passed over. Topics are not nil.
func LogOf(entries []fvm.EventEntry) (topics []Hash, data []byte, ok bool) {
	var found [maxTopics]*Hash
	highest, hasData := 0, false
	for i := range entries {
		e := &entries[i]
		if e.Codec != cbor.CodecRaw {
			return nil, nil, false
		}
		if e.Key == "d" {
			if hasData {
				return nil, nil, false
			}
			hasData, data = true, e.Value
		}
		if len(e.Key) != 2 || e.Key[0] != 't' || e.Key[1] < '1' || e.Key[1] > '0'+maxTopics {
			continue
		}
		n := int(e.Key[1] - '0')
		if len(e.Value) != len(Hash{}) || found[n-1] != nil {
			return nil, nil, false
		}
		h := Hash(e.Value)
		found[n-1], highest = &h, max(highest, n)
	}
	topics = make([]Hash, 0, maxTopics)
	for _, h := range found[:highest] {
		if h == nil {
			return nil, nil, false
		}
		topics = append(topics, *h)
	}
	return topics, data, true
}

// rawOnly are the entries of an event that are raw.
func rawOnly(entries []fvm.EventEntry) (raw []fvm.EventEntry) {
	for _, e := range entries {
		if e.Codec == cbor.CodecRaw {
			raw = append(raw, e)
		}
	}
	return raw
}

// Bloom tells which addresses and topics a block's logs may have (Ethereum yellow paper, section 4.3.1).
type Bloom [256]byte

// Add puts an address or a topic in.
func (b *Bloom) Add(data []byte) {
	hash := ethtx.Keccak256(data)
	for i := 0; i < 6; i += 2 {
		bit := binary.BigEndian.Uint16(hash[i:]) % (8 * uint16(len(b)))
		b[len(b)-1-int(bit/8)] |= 1 << (bit % 8)
	}
}

// Has tells whether data may be in it.
func (b *Bloom) Has(data []byte) bool {
	var one Bloom
	one.Add(data)
	for i := range one {
		if one[i]&^b[i] != 0 {
			return false
		}
	}
	return true
}

func (b *Bloom) addLog(emitter Address, topics []Hash) {
	b.Add(emitter[:])
	for i := range topics {
		b.Add(topics[i][:])
	}
}

// MarshalJSON writes "0x…".
func (b Bloom) MarshalJSON() ([]byte, error) { return Data(b[:]).MarshalJSON() }

// UnmarshalJSON reads the hex of 256 bytes.
func (b *Bloom) UnmarshalJSON(text []byte) error { return fixed(b[:], text) }
