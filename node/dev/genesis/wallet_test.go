package genesis

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// The first keys of the mnemonic as the nodes of Hardhat and Foundry print them.
func TestKnownKeys(t *testing.T) {
	keys, err := KeysOf(TestMnemonic, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int][2]string{
		0: {"f39fd6e51aad88f6f4ce6ab8827279cfffb92266", "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"},
		1: {"70997970c51812dc3a010c7d01b50e0d17dc79c8", "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"},
		2: {"3c44cdddb6a900fa2b585dd299e03d12fa4293bc", "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"},
		9: {"a0ee7a142d267c1f36714e4a8f75612f20a79720", "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"},
	} {
		k := keys[i]
		if got := hex.EncodeToString(k.Eth[:]); got != want[0] {
			t.Errorf("account %d has the address 0x%s, not 0x%s", i, got, want[0])
		}
		if got := hex.EncodeToString(k.Private[:]); got != want[1] {
			t.Errorf("account %d has the key 0x%s, not 0x%s", i, got, want[1])
		}
	}
}

func TestBadMnemonics(t *testing.T) {
	for name, phrase := range map[string]string{
		"empty": "", "11 words": strings.Repeat("test ", 11), "13 words": strings.Repeat("test ", 13), "27 words": strings.Repeat("test ", 27),
		"capitals": strings.Repeat("Test ", 12), "digits": strings.Repeat("t3st ", 12), "other letters": strings.Repeat("tést ", 12),
	} {
		if _, err := KeysOf(phrase, 1); !errors.Is(err, ErrMnemonic) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, err := KeysOf("  "+strings.ReplaceAll(TestMnemonic, " ", "\n\t ")+" ", 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(a[0].Eth[:]); got != "f39fd6e51aad88f6f4ce6ab8827279cfffb92266" {
		t.Errorf("white space between words counts: 0x%s", got)
	}
}
