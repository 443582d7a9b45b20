package tiered

import (
	"context"
	"sync"
)

// queue does jobs in the background, step by step. Its workers are goroutines
// that live as long as there is work.
type queue struct {
	limit int

	mu      sync.Mutex
	cond    *sync.Cond // a step has ended; nil until the first job
	waiting []*job     // in the order of arrival
	running []*job
	stopped bool
}

// add queues a job and starts a worker if there may be another.
func (q *queue) add(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped {
		return
	}
	q.waiting = append(q.waiting, j)
	if len(q.running) < q.limit { // there is one worker for each
		go q.work(q.pick())
	}
}

func (q *queue) changed() *sync.Cond {
	if q.cond == nil {
		q.cond = sync.NewCond(&q.mu)
	}
	return q.cond
}

// work does a job's step, and then the next one's, until nothing is left.
func (q *queue) work(j *job) {
	for j != nil {
		more := j.step()
		q.mu.Lock()
		for i, r := range q.running {
			if r == j {
				q.running = append(q.running[:i], q.running[i+1:]...)
				break
			}
		}
		if more && !q.stopped {
			q.waiting = append(q.waiting, j)
		}
		j = q.pick()
		q.changed().Broadcast()
		q.mu.Unlock()
	}
}

// pick moves a job from waiting to running, nil if there is none: every module
// gets its first tier before one gets its second, those in use come before
// others, and then it is first come, first served. Callers hold the lock.
func (q *queue) pick() *job {
	if len(q.waiting) == 0 {
		return nil
	}
	best := 0
	for i, j := range q.waiting {
		if j.before(q.waiting[best]) {
			best = i
		}
	}
	j := q.waiting[best]
	q.waiting = append(q.waiting[:best], q.waiting[best+1:]...)
	q.running = append(q.running, j)
	return j
}

func (j *job) before(other *job) bool {
	if j.tier != other.tier {
		return j.tier < other.tier
	}
	return j.mod.uses.Load() > other.mod.uses.Load()
}

// forget takes jobs off the queue. Steps that run go on.
func (q *queue) forget(which func(*job) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(which)
}

func (q *queue) remove(which func(*job) bool) {
	kept := q.waiting[:0]
	for _, j := range q.waiting {
		if !which(j) {
			kept = append(kept, j)
		}
	}
	clear(q.waiting[len(kept):])
	q.waiting = kept
	q.changed().Broadcast()
}

// drop takes jobs off the queue and waits for the steps of such that run. Their
// contexts must have ended, so that they do not come back.
func (q *queue) drop(which func(*job) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		q.remove(which)
		busy := false
		for _, j := range q.running {
			busy = busy || which(j)
		}
		if !busy {
			return
		}
		q.changed().Wait()
	}
}

// stop drops everything, for good.
func (q *queue) stop() {
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	q.drop(func(*job) bool { return true })
}

// wait returns when nothing is queued and nothing runs.
func (q *queue) wait(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed().Broadcast()
	})()
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting)+len(q.running) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		q.changed().Wait()
	}
	return nil
}
