package devtest

import (
	"net/http"
	"net/http/httptest"
)

// Transport brings requests to a handler, such as a node's server of JSON-RPC, without a port: for clients that take an *http.Client, as
// go-ethereum's rpc.WithHTTPClient does. It may be used by any number of goroutines.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

// RoundTrip is that of http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, in)
	out := w.Result()
	out.Request = r
	return out, nil
}
