package cheats

import (
	"encoding/json"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// Whatever comes as a parameter is a value or an error.
func FuzzParameters(f *testing.F) {
	for _, s := range []string{
		`"0x5"`, `5`, `1e18`, `1e-3`, `-1`, `"123"`, `"0x"`, `null`, `{}`, `[]`, `"f0100"`, `"0x000000000000000000000000000000000000dEaD"`, `{"timestamp":5,"blocks":"0x2"}`,
		`["0x12",0]`, `{"depth":3,"tx_block_pairs":[["0x02",0]]}`, `{"forking":{"jsonRpcUrl":"x"}}`, `{"code":"account","nonce":1}`, `{"networkVersion":28}`, `"v18/mainnet"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) {
			return
		}
		for _, v := range []any{
			new(Address), new(Uint), new(Amount), new(Word), new(Data), new(addresses), new(pair), new(reorgOptions), new(forking), new(actorEntry), new(actorCode), new(minerOptions),
			new(bundleOptions), new(profiled),
		} {
			if err := json.Unmarshal(b, v); err != nil {
				continue
			}
			switch v := v.(type) {
			case *Amount:
				if v.Int != nil && (v.Sign() < 0 || v.BitLen() > 256) {
					t.Errorf("%s is the amount %s", b, v)
				}
			case *actorEntry:
				_, _ = v.entry()
			}
		}
		_, _ = mineParams(b)
	})
}

// Whatever is loaded as a dump is a state that can be executed on, or an error.
func FuzzLoadState(f *testing.F) {
	n, err := dev.New(f.Context(), dev.Options{})
	if err != nil {
		f.Fatal(err)
	}
	defer n.Close()
	s := &server{n: n}
	dump, err := s.dump(f.Context(), jsonrpc.Optional[bool]{})
	if err != nil {
		f.Fatal(err)
	}
	var whole Data
	if err := json.Unmarshal([]byte(`"`+dump+`"`), &whole); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(whole))
	f.Add([]byte(whole[:len(whole)/2]))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if ok, err := s.load(t.Context(), b); (err == nil) != ok {
			t.Errorf("%t, %v", ok, err)
		}
	})
}
