package ethtrace

import (
	"fmt"
	"strings"
	"sync"

	"github.com/filecoin-project/go-state-types/builtin"

	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/ethtx"
)

// Console is the address that Solidity's console.sol (Hardhat, forge-std) calls: its bytes spell "console.log".
var Console = eth.Address{9: 'c', 10: 'o', 11: 'n', 12: 's', 13: 'o', 14: 'l', 15: 'e', 16: '.', 17: 'l', 18: 'o', 19: 'g'}

const (
	maxLines = 1000   // of a message
	maxLine  = 10_000 // bytes of a line
)

// ConsoleLines are what the message's contracts logged by console.log, as Hardhat prints it, also in calls that were
// reverted later. Calls of the address that are none of console.sol's are passed over.
func (f *Frames) ConsoleLines() (lines []string) {
	var walk func(c *call)
	walk = func(c *call) {
		if len(lines) < maxLines && c.msg.Method == builtin.MethodsEVM.InvokeContract && c.target() == Console {
			if input, err := payload(c.params()); err == nil {
				if line, ok := ConsoleLine(input); ok {
					lines = append(lines, line)
				}
			}
		}
		for _, below := range c.calls {
			walk(below)
		}
	}
	walk(f.root)
	return lines
}

// ConsoleLine reads the calldata of a call of the console. ok is false for what is no function of console.sol.
func ConsoleLine(input []byte) (line string, ok bool) {
	if len(input) < 4 {
		return "", false
	}
	e := consoleFunctions()[[4]byte(input)]
	if e == nil {
		return "", false
	}
	values, err := ethabi.Decode(e.Inputs, input[4:])
	if err != nil {
		return "", false
	}
	args := make([]string, len(values))
	for i, v := range values {
		args[i] = fmt.Sprint(v.Value)
	}
	text := strings.Join(args, " ")
	if len(args) > 1 && e.Inputs[0].Type.String() == "string" {
		text = format(e, args)
	}
	return layout.Cut(text, maxLine), true
}

// format is util.format of Node, as far as values of Solidity need it: %s, %d, %i, %f, %o, %O, %j take the next value; what is left
// over follows after spaces.
func format(e *ethabi.Entry, args []string) string {
	pattern, rest := args[0], args[1:]
	types := e.Inputs[1:]
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i+1 == len(pattern) {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		switch c := pattern[i]; {
		case c == '%':
			b.WriteByte('%')
		case len(rest) == 0 || !strings.ContainsRune("sdifoOj", rune(c)):
			b.WriteByte('%')
			b.WriteByte(c)
		default:
			value := rest[0]
			if kind := types[0].Type.String(); strings.ContainsRune("dif", rune(c)) && kind != "uint256" && kind != "int256" {
				value = "NaN"
			} else if strings.ContainsRune("oOj", rune(c)) && kind == "string" {
				value = "'" + value + "'"
			}
			b.WriteString(value)
			rest, types = rest[1:], types[1:]
		}
	}
	for _, r := range rest {
		b.WriteByte(' ')
		b.WriteString(r)
	}
	return b.String()
}

// consoleFunctions are those of console.sol by selector: log of up to four values of the types uint256, string, bool and address, in any
// order, and of one of some others. Old versions of console.sol wrote uint for uint256 in the signature, which
// makes another selector.
var consoleFunctions = sync.OnceValue(func() map[[4]byte]*ethabi.Entry {
	table := map[[4]byte]*ethabi.Entry{}
	add := func(name string, types []string) {
		e, err := ethabi.ParseSignature("function", name+"("+strings.Join(types, ",")+")")
		if err != nil {
			panic(err) // the list is ours
		}
		table[e.Selector()] = e
		if old := strings.ReplaceAll(e.Signature(), "int256", "int"); old != e.Signature() {
			sum := ethtx.Keccak256([]byte(old))
			table[[4]byte(sum[:4])] = e
		}
	}
	var all func(types []string)
	all = func(types []string) {
		add("log", types)
		if len(types) == 4 {
			return
		}
		for _, t := range []string{"uint256", "string", "bool", "address"} {
			all(append(types[:len(types):len(types)], t))
		}
	}
	all(nil)
	for n := 1; n <= 32; n++ {
		add("log", []string{fmt.Sprintf("bytes%d", n)})
	}
	add("log", []string{"bytes"})
	add("log", []string{"int256"})
	add("log", []string{"string", "int256"})
	return table
})
