//go:build !amd64

package json

import (
	"encoding/binary"
	"math/bits"
)

// plainBlocks looks at blocks of 16 bytes from i on. It returns the index of the first byte that needs a look, or, when no whole block
// is left, where the next one would begin. 0 <= i <= len(src).
func plainBlocks(src []byte, i int) int {
	for i+16 <= len(src) {
		m, n := specials(binary.LittleEndian.Uint64(src[i:])), specials(binary.LittleEndian.Uint64(src[i+8:]))
		if m|n != 0 {
			if m != 0 {
				return i + bits.TrailingZeros64(m)>>3
			}
			return i + 8 + bits.TrailingZeros64(n)>>3
		}
		i += 16
	}
	return i
}
