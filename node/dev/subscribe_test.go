package dev_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

// Events come in their order: the message in the pool, the block that has it.
func TestSubscribe(t *testing.T) {
	n := devtest.New(t)
	s := n.Subscribe(0)
	sent := n.SendTransaction(t, transfer(t, n, func(*eth.Call) {}))
	if e := <-s.Events(); e.Pending == nil || e.Pending.Hash != sent.Hash {
		t.Errorf("%+v", e)
	}
	if e := <-s.Events(); e.Block != sent.Block {
		t.Errorf("%+v", e)
	}
	s.Close()
	s.Close()
	if _, more := <-s.Events(); more || s.Err() != nil {
		t.Errorf("%v", s.Err())
	}
}

// A reader that does not read is dropped, and nobody waits for it.
func TestSlowReader(t *testing.T) {
	n := devtest.New(t)
	slow, quick := n.Subscribe(2), n.Subscribe(10)
	n.Blocks(t, 4)
	for range 2 {
		if e, more := <-slow.Events(); !more || e.Block == nil {
			t.Fatalf("%+v", e)
		}
	}
	if _, more := <-slow.Events(); more || !errors.Is(slow.Err(), dev.ErrSlow) {
		t.Errorf("%v", slow.Err())
	}
	for want := range epoch(4) {
		if e := <-quick.Events(); e.Block == nil || e.Block.Epoch() != want+1 {
			t.Errorf("%+v", e)
		}
	}
}

// Close ends subscriptions, and whoever comes later.
func TestClose(t *testing.T) {
	n, err := dev.New(t.Context(), dev.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := n.Subscribe(0)
	b := n.Latest()
	for range 2 {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, more := <-s.Events(); more || !errors.Is(s.Err(), dev.ErrClosed) {
		t.Errorf("%v", s.Err())
	}
	if s := n.Subscribe(0); !errors.Is(s.Err(), dev.ErrClosed) {
		t.Errorf("%v", s.Err())
	}
	if _, err := n.Mine(t.Context(), dev.MineOptions{}); !errors.Is(err, dev.ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := n.Balance(t.Context(), b, n.Genesis().Accounts[0].F410); err != nil {
		t.Errorf("what was there cannot be read: %v", err)
	}
}

// Readers see whole blocks while others write; run with -race.
func TestConcurrent(t *testing.T) {
	n := devtest.New(t)
	at := n.Deploy(t, 0, devtest.Token())
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for from := range 4 {
		writers.Add(1)
		go func() {
			defer writers.Done()
			to := eth.Address(n.Account(from + 1).Eth)
			for nonce := range uint64(4) {
				if from == 0 {
					nonce++ // it deployed the token
				}
				call := eth.Call{To: &to, Value: eth.NewAmount(1), Gas: quantity(3_000_000), Nonce: quantity(nonce)}
				if _, err := n.SubmitTransaction(t.Context(), n.Transaction(t, from, call)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for range 2 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			last := epoch(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				b := n.Latest()
				if b.Epoch() < last {
					t.Errorf("epoch %d after %d", b.Epoch(), last)
				}
				last = b.Epoch()
				if res, err := n.Call(t.Context(), b, message(t, eth.Call{To: &at, Input: devtest.BalanceOf([20]byte{})}), dev.CallOptions{}); err != nil || res.ExitCode != 0 {
					t.Error(res, err)
				}
				if _, err := n.Head(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := n.Render(t.Context(), b, eth.Tools); err != nil {
					t.Error(err)
				}
				n.Pool()
			}
		}()
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if n.Len() != 2+16 || len(n.Pool()) != 0 {
		t.Errorf("%d blocks, %d wait", n.Len(), len(n.Pool()))
	}
}
