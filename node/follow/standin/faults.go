package standin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	blocks "github.com/ipfs/go-block-format"

	"github.com/edgefvm/fvm/node/chain"
)

// faults puts what goes wrong by HTTP before a server.
func (n *Node) faults(s http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Requests.Add(1)
		if r.Method != http.MethodPost {
			s.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		time.Sleep(n.Delay)
		var in struct {
			ID     json.RawMessage
			Method string
			Params []json.RawMessage
		}
		_ = json.Unmarshal(body, &in)
		n.mu.Lock()
		fault := n.fault
		n.mu.Unlock()
		if fault != nil {
			if f := fault(strings.TrimPrefix(in.Method, "Filecoin."), in.Params); f != nil {
				select {
				case <-time.After(f.Wait):
				case <-r.Context().Done():
					return
				}
				switch {
				case f.Drop:
					panic(http.ErrAbortHandler)
				case f.Body != nil || f.Code != 0:
					w.WriteHeader(max(f.Code, http.StatusOK))
					_, _ = w.Write(f.Body)
					return
				case f.Error != "":
					words, _ := json.Marshal(f.Error)
					_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":%s}}`, in.ID, words)
					return
				}
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.ServeHTTP(w, r)
	})
}

func block(h *chain.Header) (blocks.Block, error) {
	var b bytes.Buffer
	if err := h.MarshalCBOR(&b); err != nil {
		return nil, err
	}
	c, err := h.CID()
	if err != nil {
		return nil, err
	}
	return blocks.NewBlockWithCid(b.Bytes(), c)
}
