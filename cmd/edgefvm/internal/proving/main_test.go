package proving_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/cli"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/lab/proofvectors"
	"github.com/edgefvm/fvm/proofs"
)

var edgefvm = clitest.Program(cli.Run)

// asJudge makes the test's own program a judge of duel: one that says this word to everything, or "agrees".
const asJudge = "EDGEFVM_TEST_JUDGE"

func TestMain(m *testing.M) {
	if word := os.Getenv(asJudge); word != "" {
		if err := judge(word); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	clitest.Main(m, edgefvm)
}

// judge answers as the program of the crates does.
func judge(word string) error {
	v, err := proofs.Open(context.Background(), proofs.Options{Dir: os.Getenv("FIL_PROOFS_PARAMETER_CACHE"), TrustParams: true})
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		verdict := word
		if word == "agrees" {
			var request struct {
				Kind  string
				Input json.RawMessage
			}
			if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
				return err
			}
			q, err := proofvectors.NewQuestion(request.Kind, request.Input)
			if err != nil {
				return err
			}
			if verdict, err = q.Verdict(context.Background(), v); err != nil {
				return err
			}
		}
		reply, err := json.Marshal(map[string]any{"verdict": verdict, "error": "", "ns": []int{2_000_000}})
		if err != nil {
			return err
		}
		fmt.Println(string(reply))
	}
	return lines.Err()
}
