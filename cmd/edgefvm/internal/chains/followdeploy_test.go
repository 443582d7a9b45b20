package chains

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/follow"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/replay"
)

const deploy = "../../../../deploy/follow/"

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// meterNames are the metrics that follow has, as Prometheus stores them.
func meterNames(t *testing.T) []string {
	t.Helper()
	m := newFollowMeters([]string{"wazero"})
	m.follow(func() follow.Status { return follow.Status{} })
	m.request(lotusrpc.Request{Method: "ChainHead", Took: time.Millisecond})
	m.tipset(&replay.Tipset{Gas: 5}, &follow.Judgement{Result: follow.Passed, Epoch: abi.ChainEpoch(5)})
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
		if f.GetType().String() == "HISTOGRAM" {
			names = append(names, f.GetName()+"_bucket", f.GetName()+"_sum", f.GetName()+"_count")
		}
	}
	return names
}

var meterName = regexp.MustCompile(`\b(?:edgefvm_follow|process|go)_[a-z_]+`)

// Each metric that the dashboard, the rules and the documents name exists, and each of follow's own is on the dashboard and in the
// documents.
func TestMeters(t *testing.T) {
	names := meterNames(t)
	for _, path := range []string{deploy + "grafana.json", deploy + "alerts.yml", "../../../../docs/operators.md"} {
		text := read(t, path)
		used := meterName.FindAllString(text, -1)
		if len(used) < 5 {
			t.Errorf("%s names %d metrics", path, len(used))
		}
		for _, name := range used {
			if !slices.Contains(names, name) && !(strings.HasSuffix(path, ".md") && !strings.HasPrefix(name, meterPrefix)) {
				t.Errorf("%s: there is no metric %s", path, name)
			}
		}
		if strings.HasSuffix(path, ".yml") {
			continue
		}
		for _, name := range names {
			plain := strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count") || !strings.HasPrefix(name, meterPrefix)
			if !plain && !strings.Contains(text, name) {
				t.Errorf("%s does not have %s", path, name)
			}
		}
	}
	if !json.Valid([]byte(read(t, deploy+"grafana.json"))) {
		t.Error("the dashboard is no JSON")
	}
}

// The rules ask for results that there are.
func TestAlertLabels(t *testing.T) {
	results := []string{follow.Passed, follow.Differs, follow.Undecided, follow.Skipped}
	for _, path := range []string{deploy + "grafana.json", deploy + "alerts.yml"} {
		text := strings.ReplaceAll(read(t, path), `\"`, `"`)
		found := regexp.MustCompile(`result=~?"([a-z|]+)"`).FindAllStringSubmatch(text, -1)
		if len(found) == 0 {
			t.Errorf("%s asks for no result", path)
		}
		for _, m := range found {
			for _, r := range strings.Split(m[1], "|") {
				if !slices.Contains(results, r) {
					t.Errorf("%s: there is no result %q", path, r)
				}
			}
		}
	}
}

// The unit's command line is one that the command takes.
func TestUnit(t *testing.T) {
	text := read(t, deploy+"edgefvm-follow.service")
	var line string
	for _, l := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(l, "ExecStart=/usr/local/bin/edgefvm follow "); ok {
			line = rest
		}
	}
	line = strings.NewReplacer("${NODE}", "ws://127.0.0.1:1234", "${CREDENTIALS_DIRECTORY}", "/run", "${STATE_DIRECTORY}", "/var", "$FLAGS", "--workers 2").Replace(line)
	cmd := newFollow()
	if err := cmd.ParseFlags(strings.Fields(line)); err != nil || cmd.Flags().NArg() > 0 || cmd.Flags().NFlag() < 7 {
		t.Errorf("%q: %v", line, err)
	}
	for _, want := range []string{"NoNewPrivileges=yes", "ProtectSystem=strict", "DynamicUser=yes", "CapabilityBoundingSet=\n", "SystemCallFilter=@system-service", "RestrictAddressFamilies="} {
		if !strings.Contains(text, want) {
			t.Errorf("the unit lacks %s", want)
		}
	}
	if regexp.MustCompile(`(?m)^MemoryDenyWriteExecute`).MatchString(text) {
		t.Error("compiled actors could not run")
	}
}
