package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Codes of JSON-RPC 2.0, and of EIP-1474 below -32000.
const (
	CodeParse          = -32700 // no JSON
	CodeInvalidRequest = -32600 // JSON, but no request
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternal       = -32603
	CodeServer         = -32000 // of errors that name no code
	CodeLimitExceeded  = -32005
)

// Error is an error with what a client sees of it. Wrapping keeps it: whatever is put around it goes to the log, and the client gets
// the code, the message and the data as they are here, because clients match on messages.
type Error struct {
	Code    int
	Message string
	// Data is the member "data", left out when it is nil. Ethereum's clients want the text of hex there.
	Data any
	// Meta is the member "meta", which clients by go-jsonrpc make typed errors of. Left out when it is nil.
	Meta any
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// ErrorCode returns the code.
func (e *Error) ErrorCode() int { return e.Code }

// Errorf makes an error with a code.
func Errorf(code int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// coder is what other packages' errors may have to choose their code.
type coder interface {
	error
	ErrorCode() int
}

// dataer is what other packages' errors may have to carry data.
type dataer interface {
	error
	ErrorData() any
}

// metaer is what other packages' errors may have to say more beside the data.
type metaer interface {
	error
	ErrorMeta() any
}

// errorOf finds what the client shall see of an error.
func errorOf(err error, plain int) *Error {
	var own *Error
	if errors.As(err, &own) && own != nil {
		return own
	}
	e := &Error{Code: plain, Message: err.Error()}
	var c coder
	if errors.As(err, &c) {
		e.Code, e.Message = c.ErrorCode(), c.Error()
	}
	var d dataer
	if errors.As(err, &d) {
		e.Data = d.ErrorData()
	}
	var m metaer
	if errors.As(err, &m) {
		e.Meta = m.ErrorMeta()
	}
	if c == nil && d == nil {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			e.Message = "the request took longer than the server allows: " + e.Message
		case errors.Is(err, context.Canceled):
			e.Message = "the request was given up: " + e.Message
		}
	}
	return e
}

// appendError appends an answer that is an error. A value of data or meta that has no JSON is left out.
func appendError(dst []byte, id []byte, e *Error) []byte {
	dst = appendHead(dst, id)
	dst = append(dst, `"error":{"code":`...)
	dst = strconv.AppendInt(dst, int64(e.Code), 10)
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, e.Message)
	for _, member := range [...]struct {
		name  string
		value any
	}{{`,"data":`, e.Data}, {`,"meta":`, e.Meta}} {
		if member.value == nil {
			continue
		}
		n := len(dst)
		var err error
		if dst, err = appendValue(append(dst, member.name...), member.value); err != nil {
			dst = dst[:n]
		}
	}
	return append(dst, "}}"...)
}

func appendHead(dst, id []byte) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	if id == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, id...)
	}
	return append(dst, ',')
}

// appendString appends text as JSON.
func appendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			w := appender{dst}
			_ = w.encode(s) // text always has JSON
			return w.b
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// appender is a writer at the end of a slice.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// encode appends a value by encoding/json, without its escapes for HTML, which make messages hard to read.
func (a *appender) encode(v any) error {
	e := json.NewEncoder(a)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	a.b = a.b[:len(a.b)-1] // the encoder's line end
	return nil
}

// appendValue appends a value as JSON. A panic of the value's own MarshalJSON is an error.
func appendValue(dst []byte, v any) (out []byte, err error) {
	n := len(dst)
	defer func() {
		if r := recover(); r != nil {
			out, err = dst[:n], fmt.Errorf("encoding a value of type %T: panic: %v", v, r)
		}
	}()
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendString(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case uint64:
		return strconv.AppendUint(dst, v, 10), nil
	case json.RawMessage:
		if len(v) == 0 {
			return append(dst, "null"...), nil
		}
		if !json.Valid(v) {
			return dst, errors.New("a raw result that is not JSON")
		}
		return append(dst, v...), nil
	}
	if v, ok := v.(interface{ AppendJSON([]byte) ([]byte, error) }); ok { // large ones, which encoding/json would read once more
		return v.AppendJSON(dst)
	}
	w := appender{dst}
	if err := w.encode(v); err != nil {
		return dst[:n], fmt.Errorf("encoding a value of type %T: %w", v, err)
	}
	return w.b, nil
}
