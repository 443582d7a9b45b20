package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// scripted sides note who ran when, and take what a list says, run by run.
func scripted(ran *[]string, name string, runs ...[]time.Duration) side {
	return func(context.Context) ([]time.Duration, error) {
		*ran = append(*ran, name)
		if len(runs) == 0 {
			return nil, errors.New(name + " gave way")
		}
		times := runs[0]
		runs = runs[1:]
		return times, nil
	}
}

// All sides run in each round, in the same order, and the first round does not count.
func TestTakeTurns(t *testing.T) {
	var ran []string
	times, err := takeTurns(t.Context(), 2, 2, []side{
		scripted(&ran, "a", []time.Duration{900, 900}, []time.Duration{10, 20}, []time.Duration{8, 24}),
		scripted(&ran, "b", []time.Duration{1, 1}, []time.Duration{30, 40}, []time.Duration{50, 35}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "a", "b", "a", "b"}; !slices.Equal(ran, want) {
		t.Errorf("they ran as %v, want %v", ran, want)
	}
	for _, c := range []struct {
		side, message int
		least, median time.Duration
	}{{0, 0, 8, 8}, {0, 1, 20, 20}, {1, 0, 30, 30}, {1, 1, 35, 35}} {
		least, median := ofRounds(times[c.side], c.message)
		if len(times[c.side]) != 2 || least != c.least || median != c.median {
			t.Errorf("side %d, message %d: %d rounds, least %d, median %d", c.side, c.message, len(times[c.side]), least, median)
		}
	}
}

func TestOfRounds(t *testing.T) {
	rounds := [][]time.Duration{{50}, {10}, {40}, {20}, {30}}
	if least, median := ofRounds(rounds, 0); least != 10 || median != 30 {
		t.Errorf("least %d, median %d", least, median)
	}
}

func TestTakeTurnsTrouble(t *testing.T) {
	var ran []string
	_, err := takeTurns(t.Context(), 3, 1, []side{
		scripted(&ran, "a", []time.Duration{1}, []time.Duration{1}),
		scripted(&ran, "b", []time.Duration{1}),
	})
	if err == nil || err.Error() != "b gave way" || !slices.Equal(ran, []string{"a", "b", "a", "b"}) {
		t.Errorf("it ran %v: %v", ran, err)
	}
	_, err = takeTurns(t.Context(), 1, 2, []side{scripted(&ran, "a", []time.Duration{1})})
	if err == nil || !strings.Contains(err.Error(), "ran 1 of 2 messages") {
		t.Errorf("too few messages: %v", err)
	}
}

// Processes take turns too: the least and the median of the rounds count, with the receipt of the last.
func TestColdRows(t *testing.T) {
	var ran []string
	took := map[string][]time.Duration{"a": {900, 30, 10, 20}, "b": {800, 5, 7, 6}}
	rows, err := coldRows(t.Context(), 3, []string{"a", "b"}, func(_ context.Context, engine string) (ColdTime, error) {
		ran = append(ran, engine)
		d := took[engine][0]
		took[engine] = took[engine][1:]
		return ColdTime{Least: d, Gas: 42, ExitCode: 7}, nil
	})
	want := []ColdTime{{Engine: "a", Gas: 42, ExitCode: 7, Least: 10, Median: 20}, {Engine: "b", Gas: 42, ExitCode: 7, Least: 5, Median: 6}}
	if err != nil || !slices.Equal(rows, want) {
		t.Errorf("%+v, %v", rows, err)
	}
	if !slices.Equal(ran, []string{"a", "b", "a", "b", "a", "b", "a", "b"}) {
		t.Errorf("they ran as %v", ran)
	}
	_, err = coldRows(t.Context(), 1, []string{"a"}, func(context.Context, string) (ColdTime, error) { return ColdTime{}, errors.New("no") })
	if err == nil || err.Error() != "a: no" {
		t.Errorf("a process that fails: %v", err)
	}
}

func TestParseReceipt(t *testing.T) {
	if code, gas, err := parseReceipt("receipt 17 1868263\n"); err != nil || code != 17 || gas != 1868263 {
		t.Errorf("%d, %d, %v", code, gas, err)
	}
	for _, line := range []string{"", "receipt\n", "receipt 1\n", "panic: oh\n", "receipt x 1\n"} {
		if _, _, err := parseReceipt(line); err == nil || !strings.Contains(err.Error(), "the process said") {
			t.Errorf("%q: %v", line, err)
		}
	}
}
