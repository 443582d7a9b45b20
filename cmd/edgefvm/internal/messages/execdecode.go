package messages

import (
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/actors"
)

// decode says what parameters and return value are, as far as the receiver's methods tell.
func (j *job) decode(r *receipt, kind string, code cid.Cid, t *try) {
	p := explain.Payload{
		NetworkVersion: j.cfg.NetworkVersion, Actor: kind, Code: code, Method: j.msg.Method, Name: explain.MethodName(kind, j.msg.Method), Codec: cbor.CodecDagCBOR,
	}
	if kind == "" || j.msg.Method == 0 {
		return
	}
	if p.Data = j.msg.Params; len(p.Data) > 0 {
		r.Message.ParamsValue, _ = j.decoders().Params(p)
	}
	if p.Data, p.Exit = t.res.Return, t.res.ExitCode; len(p.Data) > 0 {
		r.ReturnValue, _ = j.decoders().Return(p)
	}
	if isContract := kind == "evm" || kind == "eam"; isContract && t.res.ExitCode == contractReverted {
		if c, err := actors.Revert(j.abi, t.res.Return); err == nil {
			r.Reason = c.Text
		}
	}
}

// contractReverted is what a contract ends with that reverts (builtin-actors, actors/evm).
const contractReverted = 33

func (j *job) decoders() explain.Decoders {
	return actors.Decoders(actors.DecodersOptions{ABI: j.abi})
}

// actorsVersion is the version of the actors by an actor's code, else by the network's version; 0 if neither tells it.
func (j *job) actorsVersion(code cid.Cid) int {
	if _, versions, ok := actors.ActorByCode(code); ok {
		return versions[0]
	}
	v, err := actors.VersionFor(j.cfg.NetworkVersion)
	if err != nil {
		return 0
	}
	return v
}
