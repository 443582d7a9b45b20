package cheats

import (
	"reflect"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/network"
)

// What fvm_network says is a file that describes the network: read again it is the node's.
func TestNetworkFile(t *testing.T) {
	w := begin(t, dev.Options{})
	n, err := network.Decode(strings.NewReader(w.must("fvm_network", ``, "")))
	if err != nil {
		t.Fatal(err)
	}
	if want := w.n.Network(); !reflect.DeepEqual(n, want) {
		t.Errorf("%+v, and the node's is %+v", n, want)
	}
}
