package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// request is one call, as slices of the body that it came in.
type request struct {
	id     []byte // as sent; nil: a notification
	method string
	params []byte // as sent; nil: none
	fault  *Error // the request is none
}

// checkJSON returns an error for what is not JSON in UTF-8. After it, the functions below may trust the text. encoding/json bounds
// the depth of nesting (10,000).
func checkJSON(body []byte) *Error {
	if len(trim(body)) == 0 {
		return Errorf(CodeInvalidRequest, "the request is empty: send a JSON-RPC 2.0 request as JSON")
	}
	if !json.Valid(body) {
		err := json.Unmarshal(body, new(json.RawMessage))
		var syntax *json.SyntaxError
		switch {
		case errors.As(err, &syntax):
			return Errorf(CodeParse, "the request is not JSON: at byte %d: %v", syntax.Offset, err)
		default:
			return Errorf(CodeParse, "the request is not JSON: %v", err)
		}
	}
	if !utf8.Valid(body) {
		return Errorf(CodeParse, "the request is not JSON: text that is not UTF-8")
	}
	return nil
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func trim(b []byte) []byte {
	for len(b) > 0 && space(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && space(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// value splits valid JSON into its first value and the rest, both without space in front.
func value(b []byte) (first, rest []byte) {
	for len(b) > 0 && space(b[0]) {
		b = b[1:]
	}
	end := 0
	switch {
	case len(b) == 0:
		return nil, nil
	case b[0] == '"':
		end = textEnd(b)
	case b[0] == '{' || b[0] == '[':
		for depth := 0; end < len(b); {
			switch b[end] {
			case '"':
				end += textEnd(b[end:])
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			end++
			if depth == 0 {
				break
			}
		}
	default:
		for end < len(b) && !space(b[end]) && b[end] != ',' && b[end] != '}' && b[end] != ']' && b[end] != ':' {
			end++
		}
	}
	rest = b[end:]
	for len(rest) > 0 && space(rest[0]) {
		rest = rest[1:]
	}
	return b[:end:end], rest
}

// textEnd returns the length of the JSON text at the start of b.
func textEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// text returns the value of a JSON text, and whether b is one.
func text(b []byte) (string, bool) {
	if len(b) < 2 || b[0] != '"' {
		return "", false
	}
	for _, c := range b[1 : len(b)-1] {
		if c == '\\' {
			var s string
			err := json.Unmarshal(b, &s)
			return s, err == nil
		}
	}
	return string(b[1 : len(b)-1]), true
}

// elements calls f for each element of a valid JSON list until it returns false.
func elements(list []byte, f func(element []byte) bool) {
	rest := trim(list)[1:]
	for {
		var element []byte
		element, rest = value(rest)
		if len(element) == 0 || !f(element) || len(rest) == 0 || rest[0] != ',' {
			return
		}
		rest = rest[1:]
	}
}

// members calls f for each member of a valid JSON object.
func members(object []byte, f func(name, value []byte)) {
	rest := trim(object)[1:]
	for {
		var key, val []byte
		key, rest = value(rest)
		if len(key) < 2 || len(rest) == 0 {
			return
		}
		name := key[1 : len(key)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			s, _ := text(key)
			name = []byte(s)
		}
		val, rest = value(rest[1:]) // after the colon
		f(name, val)
		if len(rest) == 0 || rest[0] != ',' {
			return
		}
		rest = rest[1:]
	}
}

// parseRequest reads one request of a valid JSON value. Of members that come twice the last counts.
func parseRequest(b []byte) request {
	var r request
	if b = trim(b); b[0] != '{' {
		r.fault = Errorf(CodeInvalidRequest, "a request must be a JSON object with jsonrpc, id, method and params, got %s", kind(b))
		r.id = null
		return r
	}
	var version, method []byte
	members(b, func(name, v []byte) {
		switch string(name) {
		case "id":
			r.id = v
		case "jsonrpc":
			version = v
		case "method":
			method = v
		case "params":
			r.params = v
		}
	})
	if isNull(r.params) {
		r.params = nil
	}
	var ok bool
	switch v, _ := text(version); {
	case version != nil && !isNull(version) && v != "2.0":
		r.fault = Errorf(CodeInvalidRequest, `the member "jsonrpc" must be "2.0", got %s`, short(version))
	case method == nil:
		r.fault = Errorf(CodeInvalidRequest, `the request has no member "method"`)
	default:
		if r.method, ok = text(method); !ok || r.method == "" {
			r.fault = Errorf(CodeInvalidRequest, `the member "method" must be the name of a method as text, got %s`, short(method))
		} else if r.params != nil && r.params[0] != '[' && r.params[0] != '{' {
			r.fault = Errorf(CodeInvalidRequest, `the member "params" must be a list or an object, got %s`, kind(r.params))
		}
	}
	if r.fault != nil && r.id == nil {
		r.id = null // what is no request is no notification either
	}
	return r
}

var null = []byte("null")

func isNull(b []byte) bool { return string(b) == "null" }

// kind says what a JSON value is.
func kind(b []byte) string {
	switch b[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// short cuts a piece of a request for a message.
func short(b []byte) string { return cut(b, 60) }

func cut(b []byte, most int) string {
	if len(b) <= most {
		return string(b)
	}
	n := most
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return string(b[:n]) + "…"
}
