package cheats

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
)

// What was set, and an upgrade, outlive the process.
func TestRestart(t *testing.T) {
	path, store := filepath.Join(t.TempDir(), "journal"), blockstore.NewMemory()
	start := func() *world {
		j, err := dev.OpenJournal(path, false)
		if err != nil {
			t.Fatal(err)
		}
		return begin(t, dev.Options{Genesis: genesis.Options{NetworkVersion: 27}, Store: store, Journal: j})
	}
	w := start()
	w.must("anvil_mine", `[2]`, "")
	w.must("anvil_setBalance", `["`+stranger+`","0x64"]`, "")
	w.must("fvm_installBundle", `[{"networkVersion":28}]`, "")
	w.send(0, stranger, nil, 1)
	root := w.n.Latest().Root
	if err := w.n.Close(); err != nil {
		t.Fatal(err)
	}
	again := start()
	same(t, "the state", again.n.Latest().Root, root)
	same(t, "the balance", again.balance(stranger), "101")
	same(t, "the versions", fmt.Sprint(again.n.Version(2), again.n.Version(3), again.n.Version(4)), "27 28 28")
	again.send(0, stranger, nil, 1)
	same(t, "the balance", again.balance(stranger), "102")
	again.must("anvil_rollback", `[2]`, "")
	same(t, "the version", fmt.Sprint(again.n.Version(3)), "28") // the block whose state was migrated is there
	again.must("anvil_rollback", `[1]`, "")
	same(t, "the version", fmt.Sprint(again.n.Version(2)), "27")
	again.send(0, stranger, nil, 1)
	same(t, "the balance", again.balance(stranger), "1")
}
