package decoding

import (
	"fmt"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/textform"
)

// cidView is a CID, for JSON.
type cidView struct {
	CID       string `json:"cid"`
	Version   uint64 `json:"version"`
	Codec     uint64 `json:"codec"`
	CodecName string `json:"codec_name"` // as multicodec's table has it; "" if unknown
	Hash      uint64 `json:"multihash"`
	HashName  string `json:"multihash_name"`
	Length    int    `json:"digest_length"` // bytes
	Digest    string `json:"digest"`
	Bytes     string `json:"bytes"`
	CBOR      string `json:"cbor"` // as a link
	// Actor is the builtin actor whose code this is, of those versions.
	Actor    string `json:"actor,omitempty"`
	Versions []int  `json:"actors_versions,omitempty"`
	// Content is what an identity CID holds.
	Content string `json:"content,omitempty"`
}

// codecNames are those that Filecoin has, by multicodec's table.
var codecNames = map[uint64]string{
	0x51: "cbor", 0x55: "raw", 0x70: "dag-pb", 0x71: "dag-cbor", 0x72: "libp2p-key", 0x0129: "dag-json", 0x0200: "json", 0x0202: "car",
	0xf101: "fil-commitment-unsealed", 0xf102: "fil-commitment-sealed", 0x90: "eth-block", 0x93: "eth-tx",
}

func viewCID(c cid.Cid) (cidView, error) {
	p, err := multihash.Decode(c.Hash())
	if err != nil {
		return cidView{}, err
	}
	v := cidView{
		CID: c.String(), Version: c.Version(), Codec: c.Type(), CodecName: codecNames[c.Type()], Hash: p.Code, HashName: p.Name,
		Length: p.Length, Digest: jsonview.Hex(p.Digest), Bytes: jsonview.Hex(c.Bytes()),
	}
	v.CBOR = "0xd82a" + strings.TrimPrefix(jsonview.Hex(textform.WrapBytes(append([]byte{0}, c.Bytes()...))), "0x")
	v.Actor, v.Versions, _ = actors.ActorByCode(c)
	if p.Code == multihash.IDENTITY {
		v.Content = jsonview.Hex(p.Digest)
	}
	return v, nil
}

// parseCID reads a CID as textform.CID, or its bytes in hex, bare or as a link in CBOR.
func parseCID(text string) (cid.Cid, error) {
	c, err := textform.CID(text)
	if err == nil {
		return c, nil
	}
	if d, hexErr := textform.Parse(text); hexErr == nil && d.Form == textform.Hex {
		data := d.Bytes
		if len(data) > 2 && data[0] == 0xd8 && data[1] == 0x2a {
			inner, unwrapErr := actors.Unwrap(data[2:])
			if unwrapErr != nil || len(inner) == 0 || inner[0] != 0 {
				return cid.Undef, kit.Usagef("INPUT begins as a link in CBOR does, and is none")
			}
			data = inner[1:]
		}
		c, castErr := cid.Cast(data)
		if castErr == nil {
			return c, nil
		}
		return cid.Undef, kit.Usagef("INPUT: the bytes are no CID")
	}
	return cid.Undef, kit.Usagef("INPUT %q: %w", strings.TrimSpace(text), err)
}

func newDecodeCID() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "cid CID",
		Short: "A CID in parts: version, codec, hash; the builtin actor whose code it is",
		Long: `Shows the parts of a CID by name. CID is its text in any base, alone or as nodes have
it in JSON ({"/": "bafy..."}), or its bytes in hex, bare or as a link in CBOR. Of the code
of a builtin actor it tells which, and of which versions.`,
		Example: "  edgefvm decode cid bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2\n  edgefvm decode cid --json 0x0171a0e402209a0640d0620af5d1c458effce4cbb8969779c9072b164d3fe6f5179d6378d8cd",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := parseCID(args[0])
			if err != nil {
				return err
			}
			v, err := viewCID(c)
			if err != nil {
				return err
			}
			if o.asJSON {
				return kit.WriteJSON(cmd, v)
			}
			actor, content := "", ""
			if v.Actor != "" {
				actor = fmt.Sprintf("code of %s, actors %s", v.Actor, versionsText(v.Versions))
			}
			if v.Content != "" {
				content = "holds " + v.Content
			}
			return lines(cmd, v.CID, fmt.Sprintf("version %d", v.Version), fmt.Sprintf("codec 0x%x %s", v.Codec, orUnknown(v.CodecName)),
				fmt.Sprintf("multihash 0x%x %s, %d bytes", v.Hash, orUnknown(v.HashName), v.Length), "digest "+v.Digest, "bytes "+v.Bytes, "CBOR "+v.CBOR, actor, content)
		},
	}
	o.flags(cmd, "")
	return cmd
}

func orUnknown(name string) string {
	if name == "" {
		return "(unknown)"
	}
	return name
}

func versionsText(list []int) string {
	var parts []string
	for _, v := range list {
		parts = append(parts, fmt.Sprintf("v%d", v))
	}
	return strings.Join(parts, ", ")
}
