package devnode

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/ethtx"
	"github.com/edgefvm/fvm/node/textform"
)

// started is the first line of --json-log.
type started struct {
	Event          string           `json:"event"` // "started"
	URL            string           `json:"url"`
	WebSocket      string           `json:"websocket"`
	ChainID        uint64           `json:"chain_id"`
	NetworkVersion uint64           `json:"network_version"`
	Bundle         string           `json:"bundle"`
	Epoch          int64            `json:"epoch"` // of the latest block
	Accounts       []startedAccount `json:"accounts"`
	Miners         []string         `json:"miners"`
	Fork           *startedFork     `json:"fork,omitempty"`

	balance string
}

type startedAccount struct {
	Address string `json:"address"` // 0x…
	F4      string `json:"f4"`
	F1      string `json:"f1"`                    // the same key's account of Filecoin's own kind
	Private string `json:"private_key,omitempty"` // of the test mnemonic only
}

// startedFork is where the chain comes from.
type startedFork struct {
	From    string `json:"from"`
	Network string `json:"network"`
	Epoch   int64  `json:"epoch"`
}

func (s *service) started(at net.Addr) started {
	g := s.node.Genesis()
	a := at.String()
	if p, err := netip.ParseAddrPort(a); err == nil && p.Addr().IsUnspecified() {
		a = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), p.Port()).String()
	}
	v := started{
		Event: "started", URL: "http://" + a, WebSocket: "ws://" + a, ChainID: s.node.ChainID(), NetworkVersion: uint64(g.NetworkVersion), Bundle: g.Bundle,
		Epoch: int64(s.node.Latest().Epoch()), Accounts: []startedAccount{}, Miners: []string{},
	}
	if balance, err := textform.Amount(inFIL(s.x.balance)); err == nil {
		v.balance = layout.FIL(balance)
	}
	letter := "t" // as on every network but mainnet
	if f := s.node.Fork(); f != nil {
		letter = f.Network.AddressPrefix
		v.Fork = &startedFork{From: f.URL, Network: f.Network.Name, Epoch: int64(f.Tipset.Height())}
	}
	for _, acc := range g.Accounts {
		x := startedAccount{Address: checksummed(acc.Eth), F4: letter + addr.String(acc.F410)[1:], F1: letter + addr.String(acc.F1)[1:]}
		if s.x.mnemonic == genesis.TestMnemonic {
			x.Private = "0x" + hex.EncodeToString(acc.Private[:])
		}
		v.Accounts = append(v.Accounts, x)
	}
	for _, m := range g.Miners {
		v.Miners = append(v.Miners, fmt.Sprintf("t0%d", m.ID))
	}
	return v
}

// checksummed is an address with capital letters where its hash says so, as wallets print it (EIP-55).
func checksummed(a [20]byte) string {
	digits := []byte(hex.EncodeToString(a[:]))
	hash := ethtx.Keccak256(digits)
	for i, c := range digits {
		if nibble := hash[i/2] >> (4 * (1 - i%2)) & 0xf; c >= 'a' && nibble >= 8 {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}

// print is the banner for people.
func (s *service) print(w io.Writer, at net.Addr) {
	v := s.started(at)
	g := term.NewPage(w)
	g.Line("%s  Filecoin development node, network version %d, actors %s, chain id %d", g.P.Bold("edgefvm dev"), v.NetworkVersion, v.Bundle, v.ChainID)
	if v.Fork != nil {
		g.Line("Forked from %s at epoch %d of %s; the state is fetched as it is read.", v.Fork.From, v.Fork.Epoch, v.Fork.Network)
	}
	g.Line("")
	if len(v.Accounts) > 0 {
		g.Line("%d accounts with %s each, and as much at the t1 address of each key:", len(v.Accounts), v.balance)
		g.Line("")
	}
	for i, a := range v.Accounts {
		g.Line("%s %s  %s", layout.PadLeft(fmt.Sprintf("(%d)", i), 5), a.Address, g.P.Dim(a.F4))
		if a.Private != "" {
			g.Line("      %s  %s", a.Private, g.P.Dim(a.F1))
		} else {
			g.Line("      %s", g.P.Dim(a.F1))
		}
	}
	switch {
	case len(v.Accounts) == 0:
	case s.x.mnemonic == genesis.TestMnemonic:
		g.Line("")
		g.Line("Mnemonic: %s", s.x.mnemonic)
		g.Line("%s", g.P.Red("Everybody knows these keys: what is sent to them on a real network is lost."))
	default:
		g.Line("")
		g.Line("The keys are those of --mnemonic, and are not printed.")
	}
	if len(v.Miners) > 0 {
		g.Line("")
		g.Line("Storage providers: %s", joined(v.Miners))
	}
	g.Line("")
	if v.Epoch > 0 && s.x.state != "" {
		g.Line("Going on at epoch %d of %s.", v.Epoch, s.x.state)
	}
	g.Line("Listening on %s and %s", g.P.Cyan(v.URL), g.P.Cyan(v.WebSocket))
	g.Line("")
}

func joined(list []string) string {
	const most = 10
	text, more := "", ""
	if len(list) > most {
		more = fmt.Sprintf(" and %d more", len(list)-most)
		list = list[:most]
	}
	for i, s := range list {
		if i > 0 {
			text += ", "
		}
		text += s
	}
	return text + more
}

// writeStart is the first line of --json-log.
func (l *requestLog) writeStart(v started) {
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.print(string(b) + "\n")
}
