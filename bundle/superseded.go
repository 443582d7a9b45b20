package bundle

// superseded are bundles in the Lotus module that a network ran for a while before it mended them: calibnet after Watermelon and
// Dragon, and networks that ran version 16.0.0. They are loaded by name where a chain's migrations need them, and are not listed:
// nothing new is made with them. Their manifests' CIDs are those in Lotus's source (chain/consensus/filcns/upgrades.go and
// build/builtin_actors.go).
var superseded = map[string]string{
	"v12/calibrationnet-12-rc1":       "bafy2bzacedrunxfqta5skb7q7x32lnp4efz2oq7fn226ffm7fu5iqs62jkmvs",
	"v12/calibrationnet-12-rc2":       "bafy2bzacebl4w5ptfvuw6746w7ev562idkbf5ppq72e6zub22435ws2rukzru",
	"v13/calibrationnet-13-rc3":       "bafy2bzacea4firkyvt2zzdwqjrws5pyeluaesh6uaid246tommayr4337xpmi",
	"v16/butterflynet-v16.0.0":        "bafy2bzacedn2h6huw7v2elmmdmpv4phdv4wjwgct7kcrrtdgz7jkjdm6uwa6k",
	"v16/calibrationnet-v16.0.0":      "bafy2bzacebc7zpsrihpyd2jdcvmegbbk6yhzkifre3hxtoul5wdxxklbwitry",
	"v16/devnet-v16.0.0":              "bafy2bzaceafzrqb6adck3o3mbyd33gtp2272f577hidqyo7cszg2ksn5sebh2",
	"v16/testing-v16.0.0":             "bafy2bzacea35za4a3ljlupfn2wxdzwz5py6vbu267s5p4p4uvdoqyhhggbbfq",
	"v16/testing-fake-proofs-v16.0.0": "bafy2bzacec4tth5r62ny75wt27tyzgzc4nc3zte6cxainlrxs54g7yvmlezs4",
}

// manifestOf is the manifest's CID of a bundle in the Lotus module, listed or superseded; "" if there is none.
func manifestOf(name string) string {
	if m := manifests[name]; m != "" {
		return m
	}
	return superseded[name]
}
