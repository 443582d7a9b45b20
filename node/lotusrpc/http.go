package lotusrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// post makes a request by HTTP.
func (c *Client) post(ctx context.Context, id uint64, body []byte) (json.RawMessage, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.Address.URL.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnreachable, plain(err.Error()))
	}
	r.Header = c.header()
	r.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(r)
	if err != nil {
		return nil, noAnswer(ctx, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, c.o.MaxAnswer+1))
	if err != nil {
		return nil, noAnswer(ctx, fmt.Errorf("after %d bytes: %w", len(data), err))
	}
	if int64(len(data)) > c.o.MaxAnswer {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrAnswer, c.o.MaxAnswer)
	}
	var a answer
	perr := json.Unmarshal(data, &a)
	if perr == nil && a.Error != nil && res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusForbidden {
		return a.result() // nodes send their errors with several statuses
	}
	if err := status(res, data); err != nil {
		return nil, err
	}
	switch {
	case perr != nil:
		return nil, fmt.Errorf("%w: no JSON-RPC: it begins with %.80q", ErrAnswer, data)
	case !a.of(id):
		return nil, fmt.Errorf("%w: it answers the request %.40s, not %d", ErrAnswer, a.ID, id)
	}
	return a.result()
}

// status is the error that an HTTP status other than 200 is.
func status(res *http.Response, data []byte) error {
	words := plain(string(data))
	if words == "" {
		words = http.StatusText(res.StatusCode)
	}
	switch code := res.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("%w: HTTP status %d: %s", ErrDenied, code, words)
	case code == http.StatusTooManyRequests || code >= 500:
		return fmt.Errorf("%w: HTTP status %d: %s", ErrUnreachable, code, words)
	case code >= 300 && code < 400:
		return fmt.Errorf("%w: HTTP status %d, to %s: name that address", ErrAnswer, code, plain(res.Header.Get("Location")))
	default:
		return fmt.Errorf("%w: HTTP status %d: %s: is it the node's JSON-RPC?", ErrAnswer, code, words)
	}
}
