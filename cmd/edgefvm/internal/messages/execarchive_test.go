package messages_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// The same state packed otherwise gives the same receipt: those of blockstore's testdata, which were made by other tools, and
// some more.
func TestExecForms(t *testing.T) {
	clitest.NeedBundles(t)
	const forms = "../../../../blockstore/testdata/forms"
	raw := clitest.ReadFrom(t, filepath.Join(forms, "state.car"))
	dir := t.TempDir()
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	if _, err := z.Write(raw); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := enc.EncodeAll(raw[4000:], enc.EncodeAll(raw[:4000], []byte("\x50\x2a\x4d\x18\x04\x00\x00\x00skip")))
	exec := func(path string) (string, string) {
		r := edgefvm.Run(t, "exec", "--car", path, "--nv", "28", "--epoch", "5800000", "--timestamp", "1772306400", "--from", "f0100", "--to", "f0101", "--value", "1", "--chain-len", "58", "--json")
		if r.Code != kit.ExitOK {
			t.Fatalf("%s: exit code %d\n%s%s", path, r.Code, r.Out, r.Err)
		}
		return r.Out, r.Err
	}
	want, _ := exec(filepath.Join(forms, "state.car"))
	if got := clitest.FromJSON[receipt](t, want); got.ExitCode != 0 {
		t.Fatalf("%+v", got)
	}
	paths := []string{
		clitest.WriteTo(t, filepath.Join(dir, "state.car.gz"), gz.Bytes()),
		clitest.WriteTo(t, filepath.Join(dir, "frames"), frames),
	}
	for _, name := range []string{"small.car.zst", "stream.car.zst", "v2.car", "v2-index.car", "null-pad.car"} {
		paths = append(paths, filepath.Join(forms, name))
	}
	for _, path := range paths {
		got, said := exec(path)
		if got != want {
			t.Errorf("%s: %s\nwant %s", path, got, want)
		}
		if pad := "padded with zeros from byte 7906 "; strings.Contains(said, pad) != strings.Contains(path, "null-pad") {
			t.Errorf("%s: said %q", path, said)
		}
	}
	for name, want := range map[string]string{
		"\xfd7zXZ\x00\x00":                             "xz -d",
		"<!DOCTYPE html>\n":                            "HTML page",
		`{"error": "denied"}`:                          "it is JSON",
		"version https://git-lfs.github.com/spec/v1\n": "git lfs pull",
		string(frames[:1000]):                          "cut short",
		gz.String()[:1000]:                             "cut short",
	} {
		path := clitest.WriteTo(t, filepath.Join(dir, "bad"), []byte(name))
		edgefvm.Fails(t, kit.ExitFailed, []string{"exec", "--car", path, "--nv", "28", "--epoch", "1", "--from", "f0100", "--to", "f0101"}, "--car "+path+": ", want)
	}
}

// A state that has its code, in archives of any form, needs neither bundles nor Go.
func TestExecWithoutBundles(t *testing.T) {
	clitest.NeedBundles(t)
	bundle := filepath.Join(t.TempDir(), "v18.car")
	edgefvm.OK(t, "bundle", "export", "v18/mainnet", "--out", bundle)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		t.Fatal(err)
	}
	packed := clitest.WriteTo(t, bundle+".zst", enc.EncodeAll(clitest.ReadFrom(t, bundle), nil))
	plainCIDs := edgefvm.OK(t, "bundle", "cids", bundle)
	if got := edgefvm.OK(t, "bundle", "cids", packed); got != plainCIDs || !strings.Contains(got, "storageminer") {
		t.Errorf("the packed bundle has\n%s, the plain one\n%s", got, plainCIDs)
	}

	want := edgefvm.OK(t, execArgs("--json", "--message", messageFile)...)
	t.Setenv("PATH", "")
	t.Setenv("EDGEFVM_BUNDLES", filepath.Join(t.TempDir(), "none"))
	for _, args := range [][]string{{"--car", bundle}, {"--car", packed}, {"--bundle", bundle}, {"--bundle", packed}} {
		if got := edgefvm.OK(t, execArgs(append(args, "--json", "--message", messageFile)...)...); got != want {
			t.Errorf("%v: %s", args, got)
		}
	}
	r := edgefvm.Run(t, execArgs("--message", messageFile)...)
	if r.Code != kit.ExitFailed || !strings.Contains(r.Err, "the state lacks") {
		t.Errorf("without code: exit code %d, %s", r.Code, r.Err)
	}
	if _, err := os.Stat(os.Getenv("EDGEFVM_BUNDLES")); err == nil {
		t.Error("a folder of bundles was made")
	}
}
