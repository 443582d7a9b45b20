package page

import (
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

//go:embed web
var web embed.FS

// Options say what a page shows. The zero value of all but Source is ready.
type Options struct {
	// Source of what is shown. Required.
	Source Source
	// ABI of contracts, by which calldata, returns, events and reverts are decoded where a reader brought none. Default: none.
	ABI *ethabi.ABI
	// Writable says that the server has methods that send messages, for the forms. Default: the forms can only try calls.
	Writable bool
}

// Page are the files and the methods.
type Page struct {
	o     Options
	files map[string]file
	lists lists
}

type file struct {
	data []byte
	kind string // of the content
	tag  string // that tells whether a browser's copy is still good
}

// types of the files' content, by the end of their names.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// policy lets a browser run and load what this package serves, and ask this server, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// New makes a page.
func New(o Options) *Page {
	p := &Page{o: o, files: map[string]file{}}
	_ = fs.WalkDir(web, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := web.ReadFile(name)
		if err != nil {
			return err
		}
		sum := crypto.Blake2b256(data)
		p.files[strings.TrimPrefix(name, "web")] = file{data, types[path.Ext(name)], `"` + hex.EncodeToString(sum[:8]) + `"`}
		return nil
	}) // an embedded folder reads without errors
	p.files["/"] = p.files["/index.html"]
	return p
}

// ServeHTTP serves the files. At / a client that does not ask for HTML gets a line of text.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := p.files[r.URL.Path]
	if !ok {
		http.Error(w, "nothing is here: the page is at /, and JSON-RPC 2.0 takes POST or WebSocket", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept")
	if r.URL.Path == "/" && !strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("EdgeFVM: JSON-RPC 2.0 by POST, or over WebSocket, at any path. A browser finds a page here.\n"))
		return
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	h.Set("Etag", f.tag)
	h.Set("Content-Type", f.kind)
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.data) // a browser that is gone needs nothing
	}
}

// Register puts the methods into a table.
func (p *Page) Register(ms *jsonrpc.Methods) {
	names := jsonrpc.Names
	ms.Register("fvm_about", p.about)
	ms.Register("fvm_blocks", p.blocks, names("from", "count"))
	ms.Register("fvm_block", p.block, names("epoch"))
	ms.Register("fvm_explain", p.explain, names("epoch", "message", "abi"))
	ms.Register("fvm_changes", p.changes, names("epoch", "message"))
	ms.Register("fvm_find", p.find, names("text"))
	ms.Register("fvm_actors", p.actors, names("epoch", "after", "count", "kind"))
	ms.Register("fvm_actor", p.actor, names("address", "epoch", "message"))
	ms.Register("fvm_state", p.entries, names("path", "epoch", "options"))
	ms.Register("fvm_deadlines", p.deadlines, names("address", "epoch"))
	ms.Register("fvm_methods", p.methods, names("actor", "epoch"))
	ms.Register("fvm_encodeParams", p.encodeParams, names("method", "params"))
	ms.Register("fvm_decodeReturn", p.decodeReturn, names("method", "data"))
	ms.Register("fvm_gasReport", p.gasReport, names("span", "abi"))
	ms.Register("fvm_abi", p.abi, names("abi"))
	ms.Register("fvm_encodeCall", p.encodeCall, names("abi", "function", "args"))
	ms.Register("fvm_decodeResult", p.decodeResult, names("abi", "function", "data"))
}
