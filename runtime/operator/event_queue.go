package operator

// eventQueue gives values back in the order of less. Those that come in order queue up, the others go into a binary heap.
type eventQueue[T any] struct {
	less  func(a, b T) bool
	queue []T // ascending from head on
	head  int
	heap  []T
}

func (q *eventQueue[T]) len() int { return len(q.queue) - q.head + len(q.heap) }

func (q *eventQueue[T]) push(x T) {
	if q.head == len(q.queue) {
		q.queue, q.head = q.queue[:0], 0
	}
	if n := len(q.queue); n == 0 || q.less(q.queue[n-1], x) {
		if n == cap(q.queue) && q.head > n/2 {
			n = copy(q.queue, q.queue[q.head:])
			q.queue, q.head = q.queue[:n], 0
		}
		q.queue = append(q.queue, x)
		return
	}
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

// fromHeap tells whether the first value is in the heap.
func (q *eventQueue[T]) fromHeap() bool {
	return len(q.heap) > 0 && (q.head == len(q.queue) || q.less(q.heap[0], q.queue[q.head]))
}

// first returns the first value; there must be one.
func (q *eventQueue[T]) first() T {
	if q.fromHeap() {
		return q.heap[0]
	}
	return q.queue[q.head]
}

// pop takes the first value; there must be one.
func (q *eventQueue[T]) pop() T {
	if !q.fromHeap() {
		q.head++
		return q.queue[q.head-1]
	}
	x := q.heap[0]
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
			return x
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}

// each calls fn for all values, in no order; fn may change what less does not look at.
func (q *eventQueue[T]) each(fn func(x *T)) {
	for i := q.head; i < len(q.queue); i++ {
		fn(&q.queue[i])
	}
	for i := range q.heap {
		fn(&q.heap[i])
	}
}
