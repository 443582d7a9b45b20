package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// samples of one thing.
type samples []float64

func (s samples) median() float64 {
	if len(s) == 0 {
		return 0
	}
	s = slices.Sorted(slices.Values(s))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// node is a process that serves.
type node struct {
	cmd  *exec.Cmd
	url  string
	http http.Client
}

var listening = regexp.MustCompile(`(?i)(?:listening on|server at)\D+127\.0\.0\.1:(\d+)`)

// begin starts a node and waits for its first answer. It gives the time until then.
func begin(ctx context.Context, command string) (*node, time.Duration, error) {
	words := strings.Fields(command)
	n := &node{cmd: exec.CommandContext(ctx, words[0], words[1:]...)}
	n.http.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	n.cmd.Stderr = os.Stderr
	from := time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, 0, err
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if m := listening.FindStringSubmatch(line); m != nil {
			n.url = "http://127.0.0.1:" + m[1]
			break
		}
		if err != nil {
			return nil, 0, errors.Join(fmt.Errorf("%s ended before it listened", command), n.cmd.Wait())
		}
	}
	go io.Copy(io.Discard, lines) //nolint:errcheck // it ends with the node
	var number string
	if err := n.ask(ctx, &number, "eth_blockNumber"); err != nil {
		return nil, 0, errors.Join(err, n.end())
	}
	return n, time.Since(from), nil
}

// end stops the node.
func (n *node) end() error {
	n.http.CloseIdleConnections()
	if err := n.cmd.Process.Kill(); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := n.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// used is the processor time that the node's threads had so far (Linux, scheduler statistics), 0 on systems that do not say.
func (n *node) used() (sum time.Duration) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", n.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for _, t := range threads {
		data, err := os.ReadFile(t)
		if err != nil {
			continue // it has ended
		}
		first, _, _ := strings.Cut(string(data), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}

// ask calls a method.
func (n *node) ask(ctx context.Context, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	data, err := n.post(ctx, body)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %s", method, answer.Error.Message)
	}
	return json.Unmarshal(answer.Result, result)
}

func (n *node) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := n.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}
