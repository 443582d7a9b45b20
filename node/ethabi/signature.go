package ethabi

import (
	"fmt"
	"strings"
)

// ParseSignature reads a signature as people write it, where there is no ABI: "transfer(address,uint256)". Tuples are lists in
// brackets, a name may stand behind a type ("transfer(address to, uint256 amount)"), and what a function returns may follow:
// "balanceOf(address)(uint256)", or "… returns (uint256)". kind is "function", "error" or "event", which may have "indexed".
func ParseSignature(kind, text string) (*Entry, error) {
	p := &signature{rest: strings.TrimSpace(text)}
	p.rest = strings.TrimSpace(strings.TrimPrefix(p.rest, kind+" "))
	e := &Entry{Kind: kind, Name: p.word()}
	if e.Name == "" {
		return nil, fmt.Errorf("signature %q: want a name first, as in transfer(address,uint256)", text)
	}
	var err error
	if e.Inputs, err = p.list(0); err != nil {
		return nil, fmt.Errorf("signature %q: %w", text, err)
	}
	for _, word := range []string{"external", "public", "payable", "view", "pure", "returns"} {
		p.rest = strings.TrimSpace(strings.TrimPrefix(p.rest, word))
	}
	if p.rest != "" && kind == "function" {
		if e.Outputs, err = p.list(0); err != nil {
			return nil, fmt.Errorf("signature %q: %w", text, err)
		}
	}
	if p.rest != "" {
		return nil, fmt.Errorf("signature %q: %q is too much", text, p.rest)
	}
	return e, nil
}

// signature is what is still to be read.
type signature struct{ rest string }

// word takes letters, digits, $ and _.
func (p *signature) word() string {
	i := strings.IndexFunc(p.rest, func(r rune) bool {
		return r != '_' && r != '$' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if i < 0 {
		i = len(p.rest)
	}
	w := p.rest[:i]
	p.rest = strings.TrimLeft(p.rest[i:], " \t\n")
	return w
}

// take takes a character if it is the next.
func (p *signature) take(c string) bool {
	rest, ok := strings.CutPrefix(p.rest, c)
	if ok {
		p.rest = strings.TrimLeft(rest, " \t\n")
	}
	return ok
}

// list takes parameters in brackets.
func (p *signature) list(depth int) (params []Param, err error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("tuples nest deeper than %d", maxDepth)
	}
	if !p.take("(") {
		return nil, fmt.Errorf("want ( before %q", p.rest)
	}
	if p.take(")") {
		return nil, nil
	}
	for {
		param, err := p.param(depth)
		if err != nil {
			return nil, err
		}
		params = append(params, param)
		if p.take(")") {
			return params, nil
		}
		if !p.take(",") {
			return nil, fmt.Errorf("want , or ) before %q", p.rest)
		}
	}
}

func (p *signature) param(depth int) (Param, error) {
	var param Param
	var fields []Param
	name := "tuple"
	if strings.HasPrefix(p.rest, "(") {
		var err error
		if fields, err = p.list(depth + 1); err != nil {
			return param, err
		}
	} else if name = p.word(); name == "tuple" && strings.HasPrefix(p.rest, "(") {
		var err error
		if fields, err = p.list(depth + 1); err != nil {
			return param, err
		}
	}
	for p.take("[") { // an array, or several
		n := p.word()
		if !p.take("]") {
			return param, fmt.Errorf("want ] before %q", p.rest)
		}
		name += "[" + n + "]"
	}
	t, err := ParseType(name, fields)
	if err != nil {
		return param, err
	}
	param.Type = t
	for {
		switch w := p.word(); w {
		case "indexed":
			param.Indexed = true
		case "memory", "calldata", "storage":
		default:
			param.Name = w
			return param, nil
		}
	}
}
