package textform

import (
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// The pairs of f410f and 0x addresses are FIP-0048's example and those of issues that nodes have; those with capital
// letters are the examples of EIP-55.
func TestAddress(t *testing.T) {
	for _, tt := range []struct{ name, text, want, eth string }{
		{"an ID", "f01000", "f01000", "0xff000000000000000000000000000000000003e8"},
		{"of a test network", "t01000", "f01000", "0xff000000000000000000000000000000000003e8"},
		{"the system", "f00", "f00", "0xff00000000000000000000000000000000000000"},
		{"the greatest ID", "f018446744073709551615", "f018446744073709551615", "0xff0000000000000000000000ffffffffffffffff"},
		{"white space", " f01000\n", "f01000", "0xff000000000000000000000000000000000003e8"},
		{"a masked ID", "0xff000000000000000000000000000000000003e8", "f01000", "0xff000000000000000000000000000000000003e8"},
		{"a masked ID of 64 bits", "0xFF0000000000000000000000FFFFFFFFFFFFFFFF", "f018446744073709551615", "0xff0000000000000000000000ffffffffffffffff"},
		{"nearly a masked ID", "0xff000000000000000000000100000000000003e8", "", "0xff000000000000000000000100000000000003e8"},
		{"Ethereum's", "0x0426d88556bf538d6eefea76f16386fcd8ca5353", "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "0x0426d88556bf538d6eefea76f16386fcd8ca5353"},
		{"Ethereum's in capitals", "0X0426D88556BF538D6EEFEA76F16386FCD8CA5353", "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "0x0426d88556bf538d6eefea76f16386fcd8ca5353"},
		{"delegated", "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "0x0426d88556bf538d6eefea76f16386fcd8ca5353"},
		{"delegated, of a test network", "t410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "0x0426d88556bf538d6eefea76f16386fcd8ca5353"},
		{"a checksum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"},
		{"another", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "", "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359"},
		{"secp256k1", "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y", "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y", ""},
		{"an actor's", "f2yfxpck4kj6z6wbw75yb2vlcq4agaxpc2bycpvwa", "f2yfxpck4kj6z6wbw75yb2vlcq4agaxpc2bycpvwa", ""},
	} {
		a, err := Address(tt.text)
		if err != nil || tt.want != "" && addr.String(a) != tt.want {
			t.Errorf("%s: %s, %v", tt.name, addr.String(a), err)
			continue
		}
		if eth, ok := ToEth(a); ok != (tt.eth != "") || eth != tt.eth {
			t.Errorf("%s: to Ethereum %s %v", tt.name, eth, ok)
		}
	}
	for _, tt := range []struct{ name, text, says string }{
		{"nothing", " ", "it is empty"},
		{"a number", "1000", "the actor of that ID is f01000"},
		{"without 0x", "0426d88556bf538d6eefea76f16386fcd8ca5353", "begins with 0x"},
		{"a wrong checksum of EIP-55", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "(EIP-55) is wrong"},
		{"too short", "0x1234", "here are 4"},
		{"odd", "0x0426d88556bf538d6eefea76f16386fcd8ca535", "after 0x come 40 hex digits"},
		{"a word of calldata", "0x0000000000000000000000000426d88556bf538d6eefea76f16386fcd8ca5353", "the address in it is 0x0426d88556bf538d6eefea76f16386fcd8ca5353"},
		{"no hex", "0xalice", "40 hex digits"},
		{"capitals", "F1IOU6ZS5WXUUXWF5UVBBHB7KVGNPO6J7L27FNV7Y", "small letters: f1iou6zs"[:14]},
		{"another network's", "x01000", "begin with f, on test networks with t"},
		{"no protocol", "f5abc", "a digit from 0 to 4"},
		{"f alone", "f", "a digit from 0 to 4"},
		{"f1 alone", "f1", "some are missing"},
		{"f0 alone", "f0", "after f0 comes the actor's ID"},
		{"a negative ID", "f0-1", "after f0 comes the actor's ID"},
		{"an ID that is too great", "f018446744073709551616", "below 2^64"},
		{"an ID with letters", "f01000a", "after f0 comes the actor's ID"},
		{"a letter changed", "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7a", "checksum is wrong"},
		{"a letter lost", "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7", "41 characters, and this one 40"},
		{"a letter that is none", "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv71", "a letter of it is wrong"},
		{"a line in it", "f1iou6zs5wxuuxwf5uvb\nbhb7kvgnpo6j7l27fnv7y", "a letter of it is wrong"},
		{"an f1 address that says f2", "f2iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y", "checksum is wrong"},
		{"an f1 address that says f3", "f3iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y", "86 characters, and this one 41"},
		{"f4 without a namespace", "f4abc", "a namespace, a number"},
		{"f4 without an f", "f410", "a namespace, a number"},
		{"f4 and no more", "f410f", "a letter of it is wrong, or some are missing"},
		{"f4, changed", "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgca", "checksum is wrong"},
		{"a namespace with a zero", "f4010faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "not written as addresses are; the same one is f410f"},
		{"a namespace of more than 64 bits", "f418446744073709551616faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "a namespace, a number"},
	} {
		if a, err := Address(tt.text); !errors.Is(err, ErrNoReading) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %s, %v", tt.name, addr.String(a), err)
		}
	}
	if eth, ok := ToEth(address.Undef); ok {
		t.Errorf("no address is %s", eth)
	}
}

// go-address is the library of all nodes in Go. It knows neither IDs nor namespaces of 2^63 and more.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"f01000", "t00", "0xff000000000000000000000000000000000003e8", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y",
		"f3reeuyusw62rkh5vsorfm43ggiax5yc2dbcl4hlamrdg4dshrhu5r5zeghgl2eiceepja5ndmnqnzppgjubfa", "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq", "1000", "f018446744073709551615",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Address(s)
		node, nodeErr := address.NewFromString(s)
		if err == nil && nodeErr == nil && a != node {
			t.Errorf("%q is %s, of go-address %s", s, addr.String(a), node)
		}
		if err != nil {
			if nodeErr == nil && (strings.HasPrefix(s, "f") || strings.HasPrefix(s, "t")) && node.String()[1:] == s[1:] {
				t.Errorf("%q: %v, and go-address reads it", s, err)
			}
			return
		}
		if b, err := Address(addr.String(a)); err != nil || b != a {
			t.Errorf("%q is %s, and that is %s, %v", s, addr.String(a), addr.String(b), err)
		}
		if eth, ok := ToEth(a); ok {
			if b, err := Address(eth); err != nil || b != a {
				t.Errorf("%q is %s, and that is %s, %v", s, eth, addr.String(b), err)
			}
		}
	})
}
