package broker

import (
	"math/bits"
	"sync"
)

// Buffers are pooled by power of two from 4 KiB to 64 MiB; others are left to the garbage collector.
const (
	minBufferBits = 12
	maxBufferBits = 26
)

var bufferPools [maxBufferBits + 1]sync.Pool

// getBuffer returns an empty buffer with at least size bytes of room.
func getBuffer(size int) *[]byte {
	class := max(minBufferBits, bits.Len(uint(max(size, 1)-1)))
	if class > maxBufferBits {
		b := make([]byte, 0, size)
		return &b
	}
	if b, ok := bufferPools[class].Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	b := make([]byte, 0, 1<<class)
	return &b
}

// putBuffer gives a buffer back. It may have grown since; it goes to the largest class it fills.
func putBuffer(b *[]byte) {
	class := bits.Len(uint(cap(*b))) - 1
	if class >= minBufferBits && class <= maxBufferBits {
		bufferPools[class].Put(b)
	}
}
