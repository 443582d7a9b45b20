package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

type call struct {
	From string `json:"from"`
	Gas  uint64 `json:"gas"`
}

// loud is a value whose encoding panics.
type loud struct{}

func (loud) MarshalJSON() ([]byte, error) { panic("no") }

// testMethods are methods of each shape.
func testMethods() *Methods {
	ms := &Methods{}
	ms.Register("eth_chainId", func() string { return "0x1df5e76" })
	ms.Register("echo", func(p Raw) json.RawMessage { return json.RawMessage(p) })
	ms.Register("eth_getBalance", func(_ context.Context, address string, block Optional[string]) (string, error) {
		return address + "@" + block.Or("latest"), nil
	}, Names("address", "block"))
	ms.Register("eth_call", func(c call, block string, over Optional[map[string]int]) (map[string]any, error) {
		return map[string]any{"from": c.From, "gas": c.Gas, "block": block, "over": over.Set}, nil
	}, Trailing(2))
	ms.Register("evm_mine", func(n uint64) uint64 { return n }, Trailing(1))
	ms.Register("sum", func(ns ...int) (sum int) {
		for _, n := range ns {
			sum += n
		}
		return sum
	})
	ms.Register("small", func(n int8) int8 { return n })
	ms.Register("nothing", func() {})
	ms.Register("html", func() string { return "<&>\"\u2028" })
	ms.Register("fails", func() error { return errors.New("plain") })
	ms.Register("reverts", func() (string, error) {
		return "", fmt.Errorf("block 5: %w", fmt.Errorf("tx: %w", &Error{Code: 3, Message: "execution reverted: oops", Data: "0x08c379a0"}))
	})
	ms.Register("badData", func() error { return &Error{Code: 3, Message: "m", Data: loud{}} })
	ms.Register("foreign", func() error { return fmt.Errorf("around: %w", foreign{}) })
	ms.Register("panics", func() string { panic("secret of the house") })
	ms.Register("loud", func() loud { return loud{} })
	ms.Register("badRaw", func() json.RawMessage { return json.RawMessage(`{"a":`) })
	ms.Register("sleep", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	ms.Register("waits", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, Waits())
	ms.Register("extra", func(a int) int { return a }, Extra())
	ms.Register("ticks", func(ctx context.Context, n int) (<-chan int, error) {
		if n < 0 {
			return nil, Errorf(7, "negative")
		}
		ch := make(chan int)
		go func() {
			defer close(ch)
			for i := 0; n == 0 || i < n; i++ {
				select {
				case ch <- i:
				case <-ctx.Done():
					return
				}
			}
		}()
		return ch, nil
	})
	ms.Register("eth_subscribe", func(ctx context.Context, kind string) (string, error) {
		sub, err := Subscribe(ctx, "eth_subscription")
		if err != nil {
			return "", err
		}
		for i := range 3 {
			if err := sub.Notify(fmt.Sprint(kind, i)); err != nil {
				return "", err
			}
		}
		if kind == "flood" {
			go func() {
				for sub.Notify(strings.Repeat("x", 10_000)) == nil {
				}
			}()
		}
		return sub.ID(), nil
	})
	ms.Register("eth_unsubscribe", Unsubscribe)
	ms.Alias("eth_chainId", "anvil_chainId")
	return ms
}

type foreign struct{}

func (foreign) Error() string  { return "theirs" }
func (foreign) ErrorCode() int { return -32003 }
func (foreign) ErrorData() any { return "0x" }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestAnswers(t *testing.T) {
	s := New(testMethods(), Options{Log: quiet(), Limits: Limits{Batch: 3, Body: 2000}})
	head := `{"jsonrpc":"2.0","id":1,`
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	big := New(testMethods(), Options{Log: quiet()})
	for _, c := range []struct{ name, in, want string }{
		{"no params", `{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`, head + `"result":"0x1df5e76"}`},
		{"params null", `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":null}`, head + `"result":"0x1df5e76"}`},
		{"params empty object", `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}`, head + `"result":"0x1df5e76"}`},
		{"alias", `{"jsonrpc":"2.0","id":1,"method":"anvil_chainId","params":[ ]}`, head + `"result":"0x1df5e76"}`},
		{"version left out", ` {"id":1,"method":"eth_chainId"} `, head + `"result":"0x1df5e76"}`},
		{"id as big number", `{"jsonrpc":"2.0","id": 123456789012345678901.50e1 ,"method":"eth_chainId"}`, `{"jsonrpc":"2.0","id":123456789012345678901.50e1,"result":"0x1df5e76"}`},
		{"id as text with escapes", `{"jsonrpc":"2.0","id":"\u0041\"}","method":"eth_chainId"}`, `{"jsonrpc":"2.0","id":"\u0041\"}","result":"0x1df5e76"}`},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"eth_chainId"}`, `{"jsonrpc":"2.0","id":null,"result":"0x1df5e76"}`},
		{"id object", `{"jsonrpc":"2.0","id":{"a":[1, 2]},"method":"eth_chainId"}`, `{"jsonrpc":"2.0","id":{"a":[1, 2]},"result":"0x1df5e76"}`},
		{"id boolean", `{"jsonrpc":"2.0","id":false,"method":"eth_chainId"}`, `{"jsonrpc":"2.0","id":false,"result":"0x1df5e76"}`},
		{"notification", `{"jsonrpc":"2.0","method":"eth_chainId"}`, ``},
		{"notification of nobody", `{"jsonrpc":"2.0","method":"nobody"}`, ``},
		{"raw", `{"id":1,"method":"echo","params":{"a" : [1,"]"]}}`, head + `"result":{"a" : [1,"]"]}}`},
		{"raw without params", `{"id":1,"method":"echo"}`, head + `"result":null}`},
		{"optional left out", `{"id":1,"method":"eth_getBalance","params":["0x1"]}`, head + `"result":"0x1@latest"}`},
		{"optional null", `{"id":1,"method":"eth_getBalance","params":["0x1",null]}`, head + `"result":"0x1@latest"}`},
		{"optional there", `{"id":1,"method":"eth_getBalance","params":["0x1","0x5"]}`, head + `"result":"0x1@0x5"}`},
		{"nulls too many", `{"id":1,"method":"eth_getBalance","params":["0x1","0x5",null]}`, head + `"result":"0x1@0x5"}`},
		{"by name", `{"id":1,"method":"eth_getBalance","params":{"block":"0x5","address":"0x1"}}`, head + `"result":"0x1@0x5"}`},
		{"by wrong name", `{"id":1,"method":"eth_getBalance","params":{"adress":"0x1"}}`, head + `"error":{"code":-32602,"message":"eth_getBalance has no parameter named adress: its parameters are address, block"}}`},
		{"name missing", `{"id":1,"method":"eth_getBalance","params":{"block":"0x1"}}`, head + `"error":{"code":-32602,"message":"eth_getBalance: parameter 1 (address): must not be null"}}`},
		{"too few", `{"id":1,"method":"eth_getBalance"}`, head + `"error":{"code":-32602,"message":"eth_getBalance takes 1 to 2 parameters (address, block), got 0"}}`},
		{"too many", `{"id":1,"method":"eth_getBalance","params":["a","b","c"]}`, head + `"error":{"code":-32602,"message":"eth_getBalance takes 1 to 2 parameters (address, block), got 3"}}`},
		{"wrong type", `{"id":1,"method":"eth_getBalance","params":[5]}`, head + `"error":{"code":-32602,"message":"eth_getBalance: parameter 1 (address): want text, got a number"}}`},
		{"struct with unknown fields", `{"id":1,"method":"eth_call","params":[{"from":"0x1","gas":7,"type":"0x2","to":null}]}`, head + `"result":{"block":"","from":"0x1","gas":7,"over":false}}`},
		{"wrong type in struct", `{"id":1,"method":"eth_call","params":[{"gas":"x"}]}`, head + `"error":{"code":-32602,"message":"eth_call: parameter 1: got a JSON string in the member gas, which does not go into uint64"}}`},
		{"third parameter", `{"id":1,"method":"eth_call","params":[{},"latest",{"a":1}]}`, head + `"result":{"block":"latest","from":"","gas":0,"over":true}}`},
		{"number", `{"id":1,"method":"evm_mine","params":[5]}`, head + `"result":5}`},
		{"number as hex", `{"id":1,"method":"evm_mine","params":["0xff"]}`, head + `"result":255}`},
		{"number as text", `{"id":1,"method":"evm_mine","params":["12"]}`, head + `"result":12}`},
		{"number with exponent", `{"id":1,"method":"evm_mine","params":[1.5e3]}`, head + `"result":1500}`},
		{"largest number", `{"id":1,"method":"evm_mine","params":[18446744073709551615]}`, head + `"result":18446744073709551615}`},
		{"trailing left out", `{"id":1,"method":"evm_mine","params":[]}`, head + `"result":0}`},
		{"fraction", `{"id":1,"method":"evm_mine","params":[1.5]}`, head + `"error":{"code":-32602,"message":"evm_mine: parameter 1: want a whole number, got 1.5"}}`},
		{"huge exponent", `{"id":1,"method":"evm_mine","params":[1e999999999]}`, head + `"error":{"code":-32602,"message":"evm_mine: parameter 1: 1e999999999 does not fit"}}`},
		{"huge negative exponent", `{"id":1,"method":"evm_mine","params":[0e-999999999]}`, head + `"error":{"code":-32602,"message":"evm_mine: parameter 1: 0e-999999999 does not fit"}}`},
		{"below zero", `{"id":1,"method":"evm_mine","params":[-1]}`, head + `"error":{"code":-32602,"message":"evm_mine: parameter 1: want a whole number, as a number, hex or decimal text, got -1"}}`},
		{"too large for its type", `{"id":1,"method":"small","params":["0x80"]}`, head + `"error":{"code":-32602,"message":"small: parameter 1: 0x80 does not fit int8"}}`},
		{"boolean for a number", `{"id":1,"method":"small","params":[true]}`, head + `"error":{"code":-32602,"message":"small: parameter 1: want a whole number, got a boolean"}}`},
		{"null for a number", `{"id":1,"method":"small","params":[null]}`, head + `"error":{"code":-32602,"message":"small: parameter 1: must not be null"}}`},
		{"variadic", `{"id":1,"method":"sum","params":[1,"2",3]}`, head + `"result":6}`},
		{"variadic, none", `{"id":1,"method":"sum"}`, head + `"result":0}`},
		{"extra allowed", `{"id":1,"method":"extra","params":[1,2,3]}`, head + `"result":1}`},
		{"no result", `{"id":1,"method":"nothing"}`, head + `"result":null}`},
		{"text is not escaped for HTML", `{"id":1,"method":"html"}`, head + `"result":"<&>\"\u2028"}`},
		{"plain error", `{"id":1,"method":"fails"}`, head + `"error":{"code":-32000,"message":"plain"}}`},
		{"wrapped error", `{"id":1,"method":"reverts"}`, head + `"error":{"code":3,"message":"execution reverted: oops","data":"0x08c379a0"}}`},
		{"error with data that panics", `{"id":1,"method":"badData"}`, head + `"error":{"code":3,"message":"m"}}`},
		{"other packages' error", `{"id":1,"method":"foreign"}`, head + `"error":{"code":-32003,"message":"theirs","data":"0x"}}`},
		{"panic", `{"id":1,"method":"panics"}`, head + `"error":{"code":-32603,"message":"panics met a fault of the server, which its log tells more of"}}`},
		{"panic of a result", `{"id":1,"method":"loud"}`, head + `"error":{"code":-32603,"message":"the result of loud cannot be encoded: a fault of the server, which its log tells more of"}}`},
		{"raw result that is not JSON", `{"id":1,"method":"badRaw"}`, head + `"error":{"code":-32603,"message":"the result of badRaw cannot be encoded: a fault of the server, which its log tells more of"}}`},
		{"unknown, near", `{"id":1,"method":"eth_chainID"}`, head + `"error":{"code":-32601,"message":"the method eth_chainID does not exist: did you mean eth_chainId?"}}`},
		{"unknown, other family", `{"id":1,"method":"hardhat_mine"}`, head + `"error":{"code":-32601,"message":"the method hardhat_mine does not exist: did you mean evm_mine?"}}`},
		{"unknown, of the same family", `{"id":1,"method":"eth_nil"}`, head + `"error":{"code":-32601,"message":"the method eth_nil does not exist"}}`},
		{"unknown, far", `{"id":1,"method":"zzz"}`, head + `"error":{"code":-32601,"message":"the method zzz does not exist"}}`},
		{"unknown, long", `{"id":1,"method":"` + strings.Repeat("é", 100) + `"}`, head + `"error":{"code":-32601,"message":"the method ` + strings.Repeat("é", 30) + `… does not exist"}}`},
		{"stream without WebSocket", `{"id":1,"method":"ticks","params":[1]}`, head + `"error":{"code":-32600,"message":"ticks sends a stream of values: call it over WebSocket (ws://…), with an id"}}`},
		{"subscription without WebSocket", `{"id":1,"method":"eth_subscribe","params":["newHeads"]}`, head + `"error":{"code":-32601,"message":"subscriptions need WebSocket: connect to ws://… instead of http://…, at the same port"}}`},
		{"other version", `{"jsonrpc":"1.0","id":1,"method":"x"}`, head + `"error":{"code":-32600,"message":"the member \"jsonrpc\" must be \"2.0\", got \"1.0\""}}`},
		{"no method", `{"id":1}`, head + `"error":{"code":-32600,"message":"the request has no member \"method\""}}`},
		{"method a number", `{"id":1,"method":1}`, head + `"error":{"code":-32600,"message":"the member \"method\" must be the name of a method as text, got 1"}}`},
		{"params text", `{"id":1,"method":"echo","params":"a"}`, head + `"error":{"code":-32600,"message":"the member \"params\" must be a list or an object, got text"}}`},
		{"no request", `"hello"`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a request must be a JSON object with jsonrpc, id, method and params, got text"}}`},
		{"nothing", " \n", `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the request is empty: send a JSON-RPC 2.0 request as JSON"}}`},
		{"no JSON", `{"id":1,}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the request is not JSON: at byte 9: invalid character '}' looking for beginning of object key string"}}`},
		{"two values", `{"id":1,"method":"echo"}{}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the request is not JSON: at byte 25: invalid character '{' after top-level value"}}`},
		{"not UTF-8", "{\"id\":\"\xff\",\"method\":\"echo\"}", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the request is not JSON: text that is not UTF-8"}}`},
		{"escaped member names", `{"\u0069d":1,"metho\u0064":"eth_chainId"}`, head + `"result":"0x1df5e76"}`},
		{"last of two members", `{"id":2,"id":1,"method":"x","method":"eth_chainId"}`, head + `"result":"0x1df5e76"}`},
		{"batch", ` [{"id":1,"method":"eth_chainId"} , {"method":"eth_chainId"},{"id":"a","method":"fails"}] `, `[` + head + `"result":"0x1df5e76"},{"jsonrpc":"2.0","id":"a","error":{"code":-32000,"message":"plain"}}]`},
		{"batch with what is no request", `[1,{"id":1,"method":"eth_chainId"}]`, `[{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a request must be a JSON object with jsonrpc, id, method and params, got a number"}},` + head + `"result":"0x1df5e76"}]`},
		{"batch of notifications", `[{"method":"eth_chainId"},{"method":"fails"}]`, ``},
		{"empty batch", `[ ]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the batch is empty"}}`},
		{"batch too large", `[1,1,1,1]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the batch has 4 requests, and at most 3 are allowed: send several"}}`},
		{"too large", `"` + strings.Repeat("x", 2000) + `"`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the request has more than the 2000 bytes that are allowed"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(s.Handle(t.Context(), []byte(c.in)))
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	t.Run("deep nesting", func(t *testing.T) {
		got := string(big.Handle(t.Context(), []byte(deep)))
		if !strings.Contains(got, "-32700") || !strings.Contains(got, "depth") {
			t.Errorf("got %.300s", got)
		}
		got = string(big.Handle(t.Context(), []byte(`{"id":1,"method":"eth_call","params":[`+deep[10100:29900]+`]}`)))
		if !strings.Contains(got, "-32602") {
			t.Errorf("got %.300s", got)
		}
	})
}

func TestStrictNumbers(t *testing.T) {
	ms := &Methods{Strict: true}
	ms.Register("n", func(n uint64) uint64 { return n })
	s := New(ms, Options{})
	for in, ok := range map[string]bool{`5`: true, `"0x5"`: false, `"5"`: false, `5.0`: false} {
		got := string(s.Handle(t.Context(), []byte(`{"id":1,"method":"n","params":[`+in+`]}`)))
		if strings.Contains(got, `"result":5}`) != ok || strings.Contains(got, "-32602") == ok {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestTime(t *testing.T) {
	s := New(testMethods(), Options{Limits: Limits{Time: 20 * time.Millisecond}})
	if got := string(s.Handle(t.Context(), []byte(`{"id":1,"method":"sleep"}`))); !strings.Contains(got, "longer than the server allows") {
		t.Error(got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	s.Handle(ctx, []byte(`{"id":1,"method":"waits"}`))
	if time.Since(start) < 90*time.Millisecond {
		t.Error("a method that waits was cut short")
	}
}

func TestWorking(t *testing.T) {
	ms := &Methods{}
	ms.Register("blocks", func(ctx context.Context) { <-ctx.Done() })
	s := New(ms, Options{Limits: Limits{Working: 1}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Handle(ctx, []byte(`{"id":1,"method":"blocks"}`)) }()
	for len(s.working) == 0 {
		time.Sleep(time.Millisecond)
	}
	short, cancelShort := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancelShort()
	if got := string(s.Handle(short, []byte(`{"id":2,"method":"blocks"}`))); !strings.Contains(got, `"error"`) {
		t.Error("two at work:", got)
	}
	cancel()
	<-done
	if len(s.working) != 0 {
		t.Error("a slot was not given back")
	}
}

func TestAnswerLimit(t *testing.T) {
	s := New(testMethods(), Options{Limits: Limits{Answer: 1000}})
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `,{"id":%d,"method":"eth_chainId"}`, i)
	}
	got := s.Handle(t.Context(), []byte("["+b.String()[1:]+"]"))
	var answers []struct {
		ID    int
		Error *struct{ Code int }
	}
	if err := json.Unmarshal(got, &answers); err != nil || len(answers) != 100 {
		t.Fatal(err, len(answers))
	}
	if answers[0].Error != nil || answers[99].Error == nil || answers[99].Error.Code != CodeLimitExceeded || answers[99].ID != 99 {
		t.Errorf("%+v %+v", answers[0], answers[99])
	}
}

func TestOnCall(t *testing.T) {
	var calls []Call
	s := New(testMethods(), Options{Log: quiet(), OnCall: func(c Call) { calls = append(calls, c) }})
	s.Handle(t.Context(), []byte(`[{"id":1,"method":"eth_chainId"},{"id":2,"method":"reverts","params":[]},{"method":"nobody"},{"id":3,"method":"panics"}]`))
	if len(calls) != 4 {
		t.Fatal(calls)
	}
	if calls[0].Result != "0x1df5e76" || calls[0].Err != nil || calls[0].Peer.Transport != "local" {
		t.Errorf("%+v", calls[0])
	}
	if !strings.HasPrefix(calls[1].Err.Error(), "block 5: tx: ") || string(calls[1].Params) != "[]" {
		t.Errorf("%+v", calls[1])
	}
	if calls[2].Method != "nobody" || calls[2].Err == nil || calls[3].Err == nil {
		t.Errorf("%+v", calls[2:])
	}
}

func TestPanicIsLogged(t *testing.T) {
	var log strings.Builder
	s := New(testMethods(), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	s.Handle(t.Context(), []byte(`{"id":1,"method":"panics"}`))
	if !strings.Contains(log.String(), "secret of the house") || !strings.Contains(log.String(), "server_test.go") {
		t.Error(log.String())
	}
}

func TestRegisterMistakes(t *testing.T) {
	for name, fn := range map[string]func(*Methods){
		"no function":  func(m *Methods) { m.Register("a", 5) },
		"two results":  func(m *Methods) { m.Register("a", func() (int, int) { return 0, 0 }) },
		"twice":        func(m *Methods) { m.Register("a", func() {}); m.Register("a", func() {}) },
		"names":        func(m *Methods) { m.Register("a", func(int) {}, Names("x", "y")) },
		"trailing":     func(m *Methods) { m.Register("a", func(int) {}, Trailing(2)) },
		"alias of air": func(m *Methods) { m.Alias("a", "b") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("taken")
				}
			}()
			fn(&Methods{})
		})
	}
}

type api struct{}

func (api) ChainHead() string { return "head" }
func (api) Hidden()           {}

func TestRegisterAll(t *testing.T) {
	ms := &Methods{PlainCode: 1}
	ms.RegisterAll(api{}, func(name string) string {
		if name == "Hidden" {
			return ""
		}
		return "Filecoin." + name
	})
	if got := fmt.Sprint(ms.List(), ms.Has("Filecoin.ChainHead")); got != "[Filecoin.ChainHead] true" {
		t.Error(got)
	}
}
