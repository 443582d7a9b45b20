package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// add makes a row and gives its samples, one set a node.
func (b *bench) add(what, unit, target string) []samples {
	of := make([]samples, len(b.nodes))
	b.rows = append(b.rows, row{what, unit, of, target})
	return of
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// starts measures the time from a command to the first answer.
func (b *bench) starts(ctx context.Context) error {
	wall, used := b.add("start to first answer", "ms", "at most 2"), b.add("  processor time of it", "ms", "")
	for range b.rounds {
		for i, command := range b.nodes {
			n, d, err := begin(ctx, command)
			if err != nil {
				return err
			}
			wall[i], used[i] = append(wall[i], ms(d)), append(used[i], ms(n.used()))
			if err := n.end(); err != nil {
				return err
			}
		}
	}
	return nil
}

// coin is a node with a token on it.
type coin struct {
	*node
	owner, token string
	holders      int
}

type receipt struct{ Status, ContractAddress string }

func (c *coin) deploy(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var artifact struct{ Bytecode string }
	if err := json.Unmarshal(data, &artifact); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var accounts []string
	if err := c.ask(ctx, &accounts, "eth_accounts"); err != nil {
		return err
	}
	if len(accounts) == 0 {
		return errors.New("the node has no accounts")
	}
	c.owner = accounts[0]
	var hash string
	if err := c.ask(ctx, &hash, "eth_sendTransaction", map[string]any{"from": c.owner, "data": artifact.Bytecode}); err != nil {
		return err
	}
	var r receipt
	for until := time.Now().Add(10 * time.Second); r.ContractAddress == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			return errors.New("the token is not there after 10 seconds")
		}
		if err := c.ask(ctx, &r, "eth_getTransactionReceipt", hash); err != nil {
			return err
		}
	}
	c.token = r.ContractAddress
	return nil
}

// block makes a block of n transfers to new holders; sending them is not in its times, by the clock and of the processor.
func (c *coin) block(ctx context.Context, n int) (took, used time.Duration, err error) {
	var automine any
	if err := c.ask(ctx, &automine, "evm_setAutomine", false); err != nil {
		return 0, 0, err
	}
	hashes := make([]string, n)
	for i := range hashes {
		c.holders++
		data := fmt.Sprintf("0xa9059cbb%064x%064x", 0xaa0000+c.holders, 1) // transfer(address,uint256)
		// What is enough on Ethereum, where a block holds it, is too little on Filecoin.
		tx := map[string]any{"from": c.owner, "to": c.token, "gas": "0x186a0", "data": data}
		if strings.Contains(name(c.cmd.Path), "edgefvm") {
			tx["gas"] = "0x3000000"
		}
		if err := c.ask(ctx, &hashes[i], "eth_sendTransaction", tx); err != nil {
			return 0, 0, err
		}
	}
	before, from := c.used(), time.Now()
	if err := c.ask(ctx, &automine, "evm_mine"); err != nil {
		return 0, 0, err
	}
	took, used = time.Since(from), c.used()-before
	for _, h := range []string{hashes[0], hashes[n-1]} {
		var r receipt
		if err := c.ask(ctx, &r, "eth_getTransactionReceipt", h); err != nil {
			return 0, 0, err
		}
		if r.Status != "0x1" {
			return 0, 0, fmt.Errorf("a transfer has the status %q", r.Status)
		}
	}
	return took, used, nil
}

// called counts calls of the token's balance, by some connections, in a time.
func (b *bench) called(ctx context.Context, c *coin) (float64, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": []any{
		map[string]any{"to": c.token, "data": "0x70a08231" + strings.Repeat("0", 24) + c.owner[2:]}, "latest",
	}})
	if err != nil {
		return 0, err
	}
	var group sync.WaitGroup
	counts, errs := make([]int, b.calls), make([]error, b.calls)
	from := time.Now()
	for i := range counts {
		group.Go(func() {
			for time.Since(from) < b.span {
				answer, err := c.post(ctx, body)
				if err == nil && !strings.Contains(string(answer), `"result"`) {
					err = fmt.Errorf("eth_call: %s", answer)
				}
				if err != nil {
					errs[i] = err
					return
				}
				counts[i]++
			}
		})
	}
	group.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / time.Since(from).Seconds(), errors.Join(errs...)
}

// transfers measures blocks and calls, on nodes that stay.
func (b *bench) transfers(ctx context.Context) (err error) {
	if b.token == "" {
		return nil
	}
	var coins []*coin
	defer func() {
		for _, c := range coins {
			err = errors.Join(err, c.end())
		}
	}()
	for _, command := range b.nodes {
		n, _, err := begin(ctx, command)
		if err != nil {
			return err
		}
		c := &coin{node: n}
		coins = append(coins, c)
		if err := c.deploy(ctx, b.token); err != nil {
			return fmt.Errorf("%s: %w", name(command), err)
		}
		if _, _, err := c.block(ctx, 10); err != nil { // what is loaded once
			return fmt.Errorf("%s: %w", name(command), err)
		}
	}
	wall, used := b.add("block of 100 ERC-20 transfers", "ms", "at most 4"), b.add("  processor time of it", "ms", "")
	per, cost := b.add("eth_call of a balance", "per s", "2,000 per s"), b.add("  processor time of one", "µs", "")
	for range b.rounds {
		for i, c := range coins {
			d, cpu, err := c.block(ctx, 100)
			if err != nil {
				return fmt.Errorf("%s: %w", name(b.nodes[i]), err)
			}
			wall[i], used[i] = append(wall[i], ms(d)), append(used[i], ms(cpu))
		}
		for i, c := range coins {
			before := c.used()
			n, err := b.called(ctx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", name(b.nodes[i]), err)
			}
			per[i] = append(per[i], n)
			cost[i] = append(cost[i], ms(c.used()-before)*1000/(n*b.span.Seconds()))
		}
	}
	return nil
}

// suites times a command against fresh nodes.
func (b *bench) suites(ctx context.Context) error {
	if b.suite == "" {
		return nil
	}
	wall := b.add("the suite", "s", "at most 1.5")
	for range b.rounds {
		for i, command := range b.nodes {
			n, _, err := begin(ctx, command)
			if err != nil {
				return err
			}
			cmd := exec.CommandContext(ctx, "bash", "-c", b.suite)
			cmd.Env = append(os.Environ(), "RPC_URL="+n.url)
			from := time.Now()
			out, err := cmd.CombinedOutput()
			wall[i] = append(wall[i], time.Since(from).Seconds())
			if err = errors.Join(err, n.end()); err != nil {
				return fmt.Errorf("the suite on %s: %w\n%s", name(command), err, out)
			}
		}
	}
	return nil
}
