package textform

import (
	"encoding/json"
	"strings"

	"github.com/ipfs/go-cid"
)

// CID reads a CID: its text in any base, alone, in quotes, as nodes write it in JSON ({"/": "bafy..."}), or as the paths and
// addresses of IPFS have it (/ipfs/bafy..., ipfs://bafy...), if nothing follows. White space around it does not count.
func CID(text string) (cid.Cid, error) {
	text = strings.TrimSpace(text)
	var link struct {
		Text string `json:"/"`
	}
	switch {
	case strings.HasPrefix(text, `"`):
		if json.Unmarshal([]byte(text), &link.Text) == nil {
			text = strings.TrimSpace(link.Text)
		}
	case strings.HasPrefix(text, "{"):
		if json.Unmarshal([]byte(text), &link) == nil {
			text = strings.TrimSpace(link.Text)
		}
	}
	for _, prefix := range []string{"/ipfs/", "ipfs://"} {
		text = strings.TrimPrefix(text, prefix)
	}
	c, err := cid.Decode(text)
	if err != nil {
		return cid.Undef, noReading("it is no CID: is it cut, or was a letter changed?")
	}
	return c, nil
}
