package lotusrpc

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// defaultPath is where nodes serve the methods that this package asks for.
const defaultPath = "/rpc/v1"

// Address is where a node is.
type Address struct {
	// URL with the scheme http, https, ws or wss.
	URL *url.URL
	// Token is the bearer's; "" for none.
	Token string
}

// token is what Lotus takes for one in front of an address: a JWT.
var token = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$`)

// ParseAddress reads an address as people write it: a URL (without a path it is that of /rpc/v1), or Lotus's form
// /ip4/HOST/tcp/PORT/http, each with TOKEN: in front if there is one, as FULLNODE_API_INFO has it. As with Lotus's own commands,
// the second form means WebSocket.
func ParseAddress(text string) (*Address, error) {
	a, rest := &Address{}, strings.TrimSpace(text)
	if head, tail, ok := strings.Cut(rest, ":"); ok && token.MatchString(head) && (strings.HasPrefix(tail, "/ip") || strings.HasPrefix(tail, "/dns") || strings.Contains(tail, "://")) {
		a.Token, rest = head, tail
	}
	var err error
	switch {
	case rest == "":
		err = errors.New("it is empty")
	case strings.HasPrefix(rest, "/"):
		a.URL, err = fromMultiaddr(rest)
	default:
		a.URL, err = fromURL(rest)
	}
	if err != nil {
		return nil, fmt.Errorf("the node's address: %w: want http://HOST:PORT, ws://HOST:PORT or TOKEN:/ip4/HOST/tcp/PORT/http", err)
	}
	return a, nil
}

func fromURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("it is no URL") // url.Error repeats it, with passwords
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return nil, errors.New("its scheme is not known") // which may be half a token
	}
	if u.Hostname() == "" {
		return nil, errors.New("it names no host")
	}
	if p := u.Port(); p != "" {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil {
			return nil, fmt.Errorf("%.20s is no port", p)
		}
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = defaultPath
	}
	u.Fragment = ""
	return u, nil
}

// fromMultiaddr reads /ip4/127.0.0.1/tcp/1234/http and its like.
func fromMultiaddr(text string) (*url.URL, error) {
	parts := strings.Split(strings.Trim(text, "/"), "/")
	if len(parts) < 4 || parts[2] != "tcp" {
		return nil, fmt.Errorf("%.100q is no address of a host and a port", text)
	}
	host, port := parts[1], parts[3]
	switch parts[0] {
	case "ip4", "ip6":
		if net.ParseIP(host) == nil {
			return nil, fmt.Errorf("%.60q is no IP", host)
		}
	case "dns", "dns4", "dns6":
	default:
		return nil, fmt.Errorf("%.20q is none of ip4, ip6, dns, dns4 and dns6", parts[0])
	}
	scheme := "ws"
	for _, p := range parts[4:] {
		switch p {
		case "http", "ws":
		case "https", "wss", "tls":
			scheme = "wss"
		default:
			return nil, fmt.Errorf("%.20q is not known there", p)
		}
	}
	return fromURL(scheme + "://" + net.JoinHostPort(host, port))
}

// WebSocket tells whether the address is spoken to by WebSocket.
func (a *Address) WebSocket() bool { return a.URL.Scheme == "ws" || a.URL.Scheme == "wss" }

// String is the address without what is secret: token, password and query.
func (a *Address) String() string {
	u := *a.URL
	u.User, u.RawQuery = nil, ""
	return u.String()
}
