package lotusrpc

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// Tipset is what a node says of one. Nothing of it is proven: only its blocks, once they are read, say where it stands.
type Tipset struct {
	Blocks []cid.Cid
	Height abi.ChainEpoch
}

// maxBlocks bounds a tipset. A chain expects 5 blocks an epoch.
const maxBlocks = 256

// UnmarshalJSON reads the fields Cids and Height.
func (t *Tipset) UnmarshalJSON(data []byte) error {
	var raw struct {
		Cids   []jsonCID
		Height *abi.ChainEpoch
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	switch {
	case len(raw.Cids) == 0:
		return fmt.Errorf("a tipset without Cids")
	case len(raw.Cids) > maxBlocks:
		return fmt.Errorf("a tipset of %d blocks", len(raw.Cids))
	case raw.Height == nil || *raw.Height < 0:
		return fmt.Errorf("a tipset without a Height")
	}
	*t = Tipset{Height: *raw.Height}
	for _, c := range raw.Cids {
		t.Blocks = append(t.Blocks, cid.Cid(c))
	}
	return nil
}

// jsonCID is a CID as {"/": "bafy..."}.
type jsonCID cid.Cid

func (c jsonCID) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"/": cid.Cid(c).String()})
}

func (c *jsonCID) UnmarshalJSON(data []byte) error {
	var raw struct {
		Link string `json:"/"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	v, err := cid.Decode(raw.Link)
	if err != nil {
		return fmt.Errorf("%.80q is no CID", raw.Link)
	}
	*c = jsonCID(v)
	return nil
}

// ChainHead is the tipset that the node takes for the best.
func (c *Client) ChainHead(ctx context.Context) (t Tipset, err error) {
	err = c.Call(ctx, &t, "ChainHead")
	return t, err
}

// ChainGetGenesis is the tipset of epoch 0.
func (c *Client) ChainGetGenesis(ctx context.Context) (t Tipset, err error) {
	err = c.Call(ctx, &t, "ChainGetGenesis")
	return t, err
}

// ChainNotify tells, by WebSocket, of each change of the head: the head that there is, then what is applied, the last of
// which is the new head. on must not wait. done gets an error when the subscription has ended, in whatever way.
func (c *Client) ChainNotify(ctx context.Context, on func(head Tipset)) (done <-chan error, err error) {
	sub := &subscription{done: make(chan error, 1)}
	sub.value = func(raw json.RawMessage) {
		changes, err := headChanges(raw)
		for i := len(changes) - 1; i >= 0 && err == nil; i-- {
			if k := changes[i].Type; k == "current" || k == "apply" {
				var t Tipset
				if err = json.Unmarshal(changes[i].Val, &t); err == nil {
					on(t)
				}
				break
			}
		}
		if err != nil {
			sub.finish(c.named("ChainNotify", fmt.Errorf("%w: %s", ErrAnswer, plain(err.Error()))))
		}
	}
	raw, err := c.ask(ctx, "ChainNotify", sub)
	if err != nil {
		return nil, err
	}
	var number uint64
	if err := json.Unmarshal(raw, &number); err != nil {
		return nil, c.named("ChainNotify", fmt.Errorf("%w: it opened no channel", ErrAnswer))
	}
	return sub.done, nil
}

// headChange is a step of a node's head, of a type that may be current, apply or revert.
type headChange struct {
	Type string
	Val  json.RawMessage
}

// headChanges reads a list of steps. Forest sent each alone until 2024 (its issue 4069).
func headChanges(raw json.RawMessage) (list []headChange, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		var one headChange
		err = json.Unmarshal(raw, &one)
		return []headChange{one}, err
	}
	err = json.Unmarshal(raw, &list)
	return list, err
}

// ChainReadObj is a block of the node's blockstore, checked by its hash. The CID must be of 32 bytes of blake2b.
func (c *Client) ChainReadObj(ctx context.Context, id cid.Cid) ([]byte, error) {
	p, ok := cbor.Split(id)
	if !ok || p.Hash != cbor.HashBlake2b256 {
		return nil, fmt.Errorf("%s is not the CID of a block of a chain", id)
	}
	var text string
	if err := c.Call(ctx, &text, "ChainReadObj", jsonCID(id)); err != nil {
		return nil, fmt.Errorf("block %s: %w", id, err)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", id, c.named("ChainReadObj", fmt.Errorf("%w: it is not in base64", ErrAnswer)))
	}
	if d := crypto.Blake2b256(data); p.Digest != string(d[:]) {
		return nil, fmt.Errorf("block %s: %w", id, c.named("ChainReadObj", ErrHash))
	}
	return data, nil
}

// ChainHasObj tells whether the node's blockstore has a block.
func (c *Client) ChainHasObj(ctx context.Context, id cid.Cid) (ok bool, err error) {
	err = c.Call(ctx, &ok, "ChainHasObj", jsonCID(id))
	return ok, err
}

// StateNetworkName is the network's name, as the init actor has it.
func (c *Client) StateNetworkName(ctx context.Context) (name string, err error) {
	err = c.Call(ctx, &name, "StateNetworkName")
	return plain(name), err
}

// NetworkParams are some of those that a node knows its network by.
type NetworkParams struct {
	NetworkName    string
	BlockDelaySecs uint64
	Eip155ChainID  uint64
}

// StateGetNetworkParams are the network's as the node has them. Not all nodes know the method.
func (c *Client) StateGetNetworkParams(ctx context.Context) (p NetworkParams, err error) {
	err = c.Call(ctx, &p, "StateGetNetworkParams")
	p.NetworkName = plain(p.NetworkName)
	return p, err
}

// Version is what the node calls itself, such as "1.36.3+mainnet".
func (c *Client) Version(ctx context.Context) (string, error) {
	var v struct{ Version, Agent string }
	err := c.Call(ctx, &v, "Version")
	return plain(v.Version), err
}
