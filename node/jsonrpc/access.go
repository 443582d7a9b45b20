package jsonrpc

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
)

// Access says who may use the server. The zero value lets programs in that name it by an IP address or as localhost, and pages that
// come from this machine, and extensions of browsers.
//
// A page of any website can make the visitor's browser send requests to the visitor's own machine. It cannot hide where it came from
// (Origin), and if it rebinds its own name to a loopback address, the name stands in Host. A name that is an IP address cannot be
// rebound.
type Access struct {
	// Hosts are further names by which the server may be addressed, without ports: "node.example", "*.example". "*" allows all.
	Hosts []string
	// Origins are further origins of pages: "https://remix.example", "https://*.example". "*" allows all.
	Origins []string
	// Token, if any, must come with each request: "Authorization: Bearer TOKEN", or "?token=TOKEN" where headers cannot be set, as
	// in a browser's WebSocket.
	Token string
}

// check returns why a request may not be answered: a status and an error, or 0.
func (a *Access) check(r *http.Request) (int, *Error) {
	if !a.hostAllowed(r.Host) {
		return http.StatusForbidden, Errorf(CodeInvalidRequest,
			"the host %s is not allowed, as a website could have set its name to this machine's address: use localhost or an IP address, or allow the name where the server is started", short([]byte(r.Host)))
	}
	if origin := r.Header.Get("Origin"); origin != "" && !a.originAllowed(origin, r.Host) {
		return http.StatusForbidden, Errorf(CodeInvalidRequest,
			"pages of the origin %s are not allowed to use this server: allow the origin where the server is started", short([]byte(origin)))
	}
	if a.Token != "" && r.Method != http.MethodOptions {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			token = r.URL.Query().Get("token")
		}
		if subtle.ConstantTimeCompare([]byte(token), []byte(a.Token)) != 1 {
			return http.StatusUnauthorized, Errorf(CodeInvalidRequest, "this server wants a token: send the header Authorization: Bearer TOKEN")
		}
	}
	return 0, nil
}

// hostname is the name of a Host, in lower case, without port, brackets and the root's dot.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func local(name string) bool { return name == "localhost" || strings.HasSuffix(name, ".localhost") }

func (a *Access) hostAllowed(host string) bool {
	name := hostname(host)
	if name == "" || local(name) { // without a name, as HTTP/1.0 allows, it is no browser
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for _, pattern := range a.Hosts {
		if matches(strings.ToLower(pattern), name) {
			return true
		}
	}
	return false
}

func (a *Access) originAllowed(origin, host string) bool {
	origin = strings.ToLower(origin)
	for _, pattern := range a.Origins {
		if matches(strings.TrimSuffix(strings.ToLower(pattern), "/"), origin) {
			return true
		}
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false // "null" too: pages of files, but also frames that hide where they come from
	}
	switch u.Scheme {
	case "chrome-extension", "moz-extension", "safari-web-extension":
		return true // installed by the user, as wallets are
	case "http", "https":
	default:
		return false
	}
	name := hostname(u.Host)
	if ip, err := netip.ParseAddr(name); err == nil && ip.IsLoopback() || local(name) {
		return true
	}
	return strings.EqualFold(u.Host, host) // a page of this server's own, whose name was checked
}

// matches compares with a pattern in which * stands for anything but a slash.
func matches(pattern, s string) bool {
	if pattern == "*" {
		return true
	}
	ok, err := path.Match(pattern, s)
	return err == nil && ok
}

// cors sets the headers that let a page read the answer, for an origin that was checked.
func (a *Access) cors(h http.Header, r *http.Request) {
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions {
		return
	}
	h.Set("Access-Control-Allow-Methods", "POST, GET, HEAD, OPTIONS")
	headers := r.Header.Get("Access-Control-Request-Headers")
	if headers == "" {
		headers = "Content-Type, Content-Encoding, Authorization"
	}
	h.Set("Access-Control-Allow-Headers", headers)
	h.Set("Access-Control-Max-Age", "86400")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
}
