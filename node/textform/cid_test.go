package textform

import (
	"errors"
	"testing"
)

func TestCID(t *testing.T) {
	const root = "bafy2bzacebiwun7e7brzriuy5fyovl3zggbywlsd6ek6hp5z4nljm6um4zlbi"
	for _, tt := range []struct{ name, text, want string }{
		{"as it is", root, root},
		{"white space", " " + root + "\n", root},
		{"capitals, which are a base of their own", "BAFY2BZACEBIWUN7E7BRZRIUY5FYOVL3ZGGBYWLSD6EK6HP5Z4NLJM6UM4ZLBI", root},
		{"a node's JSON", `{"/":"` + root + `"}`, root},
		{"a node's JSON, on lines", "{\n  \"/\": \"" + root + "\"\n}\n", root},
		{"in quotes", `"` + root + `"`, root},
		{"a path of IPFS", "/ipfs/" + root, root},
		{"an address of IPFS", "ipfs://" + root, root},
		{"version 0", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKQZgp", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKQZgp"},
		{"cut", root[:40], ""},
		{"a letter too many", root + "a", ""},
		{"behind it a path", "/ipfs/" + root + "/a", ""},
		{"nothing", "", ""},
		{"another object", `{"cid":"` + root + `"}`, ""},
		{"half an object", `{"/":"` + root, ""},
		{"a link of a link", `{"/":{"/":"` + root + `"}}`, ""},
		{"null", "null", ""},
		{"an epoch", "5800000", ""},
	} {
		c, err := CID(tt.text)
		switch {
		case tt.want == "" && !errors.Is(err, ErrNoReading):
			t.Errorf("%s: %v, %v", tt.name, c, err)
		case tt.want != "" && (err != nil || c.String() != tt.want):
			t.Errorf("%s: %v, %v", tt.name, c, err)
		}
	}
}

func FuzzCID(f *testing.F) {
	for _, s := range []string{"bafy2bzacebiwun7e7brzriuy5fyovl3zggbywlsd6ek6hp5z4nljm6um4zlbi", `{"/":"bafkqaaa"}`, "/ipfs/QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", `"zQm"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := CID(s)
		if err != nil {
			return
		}
		if again, err := CID(`{"/":"` + c.String() + `"}`); err != nil || !again.Equals(c) {
			t.Errorf("%q is %s, and that is %v, %v", s, c, again, err)
		}
	})
}
