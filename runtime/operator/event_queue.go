package operator

// maxRuns bounds the ascending runs that an eventQueue tells apart: as many inputs of a task, each in order, cost no heap.
const maxRuns = 8

// eventQueue gives values back in the order of less. Values mostly come in a few interleaved ascending runs, one for each input that is in
// order: each run is a list. What fits no run goes into a binary heap.
type eventQueue[T any] struct {
	less func(a, b T) bool
	runs [maxRuns]eventRun[T]
	used int // runs that hold values, at the front of runs
	last int // the run that took the last value
	heap []T
	size int
	at   int // where the first value is: a run, or inHeap; unknown: to be found
}

// eventRun is ascending from head on.
type eventRun[T any] struct {
	items []T
	head  int
}

const (
	inHeap  = -1
	unknown = -2
)

func newEventQueue[T any](less func(a, b T) bool) eventQueue[T] {
	return eventQueue[T]{less: less, at: unknown}
}

func (q *eventQueue[T]) len() int { return q.size }

func (q *eventQueue[T]) push(x T) {
	q.size++
	q.at = unknown
	if q.last < q.used && q.runs[q.last].add(x, q.less) {
		return
	}
	for i := range q.used {
		if q.runs[i].add(x, q.less) {
			q.last = i
			return
		}
	}
	if q.used < maxRuns {
		q.last = q.used
		q.used++
		q.runs[q.last].add(x, q.less)
		return
	}
	q.pushHeap(x)
}

// add appends x if it does not come before the run's last value.
func (r *eventRun[T]) add(x T, less func(a, b T) bool) bool {
	n := len(r.items)
	if n > r.head && less(x, r.items[n-1]) {
		return false
	}
	if n == cap(r.items) && r.head > n/2 { // half of the memory lies idle
		r.items = r.items[:copy(r.items, r.items[r.head:])]
		r.head = 0
	}
	r.items = append(r.items, x)
	return true
}

func (q *eventQueue[T]) pushHeap(x T) {
	q.heap = append(q.heap, x)
	for i := len(q.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.less(q.heap[i], q.heap[up]) {
			break
		}
		q.heap[i], q.heap[up] = q.heap[up], q.heap[i]
		i = up
	}
}

// first returns the first value; there must be one.
func (q *eventQueue[T]) first() T {
	if q.at == unknown {
		q.find()
	}
	if q.at == inHeap {
		return q.heap[0]
	}
	r := &q.runs[q.at]
	return r.items[r.head]
}

func (q *eventQueue[T]) find() {
	q.at = inHeap
	for i := range q.used {
		r := &q.runs[i]
		switch {
		case q.at >= 0:
			if b := &q.runs[q.at]; q.less(r.items[r.head], b.items[b.head]) {
				q.at = i
			}
		case len(q.heap) == 0 || q.less(r.items[r.head], q.heap[0]):
			q.at = i
		}
	}
}

// pop takes the first value; there must be one.
func (q *eventQueue[T]) pop() T {
	x := q.first()
	q.size--
	if q.at == inHeap {
		q.popHeap()
	} else {
		r := &q.runs[q.at]
		if r.head++; r.head == len(r.items) {
			r.items, r.head = r.items[:0], 0
			q.used--
			q.runs[q.at], q.runs[q.used] = q.runs[q.used], q.runs[q.at]
		}
	}
	q.at = unknown
	return x
}

func (q *eventQueue[T]) popHeap() {
	n := len(q.heap) - 1
	q.heap[0] = q.heap[n]
	q.heap = q.heap[:n]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < n; c++ {
			if q.less(q.heap[c], q.heap[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}

// each calls fn for all values, in no order; fn may change what less does not look at.
func (q *eventQueue[T]) each(fn func(x *T)) {
	for k := range q.used {
		r := &q.runs[k]
		for i := r.head; i < len(r.items); i++ {
			fn(&r.items[i])
		}
	}
	for i := range q.heap {
		fn(&q.heap[i])
	}
}
