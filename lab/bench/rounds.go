package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// side is one that takes part: it runs a vector from its beginning and says what each message took.
type side func(context.Context) ([]time.Duration, error)

// takeTurns lets every side run once in each round, in the same order, and returns the times by side, round and
// message. A round before them, whose times nobody sees, warms up: what runs after another side is not what runs
// after itself. A side whose number of messages is not the expected one is an error.
func takeTurns(ctx context.Context, rounds, messages int, sides []side) ([][][]time.Duration, error) {
	times := make([][][]time.Duration, len(sides))
	for round := range rounds + 1 {
		for i, run := range sides {
			got, err := run(ctx)
			if err != nil {
				return nil, err
			}
			if len(got) != messages {
				return nil, fmt.Errorf("side %d ran %d of %d messages", i, len(got), messages)
			}
			if round > 0 {
				times[i] = append(times[i], got)
			}
		}
	}
	return times, nil
}

// ofRounds is the least and the median of what a message took.
func ofRounds(rounds [][]time.Duration, message int) (least, median time.Duration) {
	var list []time.Duration
	for _, r := range rounds {
		list = append(list, r[message])
	}
	return slices.Min(list), Percentile(list, 50)
}
