package nv_test

import (
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/internal/vm/nv"
)

func TestAdmit(t *testing.T) {
	for _, c := range []struct {
		name    string
		v       network.Version
		preview bool
		want    string // part of the refusal, "" for none
	}{
		{"none", 0, false, "is not supported"},
		{"before the oldest", nv.Oldest - 1, true, "is not supported"},
		{"the oldest", nv.Oldest, false, ""},
		{"the newest", nv.Newest, false, ""},
		{"the newest, previews too", nv.Newest, true, ""},
		{"the preview unasked", nv.Preview, false, "is a preview"},
		{"the preview", nv.Preview, true, ""},
		{"after the preview", nv.Preview + 1, true, "is not supported"},
		{"the greatest", 1<<32 - 1, true, "is not supported"},
	} {
		err := nv.Admit(c.v, c.preview)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
