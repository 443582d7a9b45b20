package actors_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/edgefvm/fvm/node/actors"
)

// Parameters from the chain to JSON and back.
func Example() {
	m, err := actors.FindMethod(16, "f05", "WithdrawBalance")
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := m.EncodeParams([]byte(`{"ProviderOrClientAddress": "f0100", "Amount": "200"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m, hex.EncodeToString(data))

	v, err := m.DecodeParams(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := json.Marshal(v.JSON)
	fmt.Println(string(text), v.Diagnostic, err)

	e := actors.ExplainExit(16, m.Actor, 33)
	fmt.Println(e.Name, "-", e.Meaning)

	// Output:
	// storagemarket.WithdrawBalance of actors v16 824200644200c8
	// {"ProviderOrClientAddress":"f0100","Amount":"200"} [h'0064', h'00c8'] <nil>
	// EX_DEAL_NOT_ACTIVATED - deal not activated yet
}
