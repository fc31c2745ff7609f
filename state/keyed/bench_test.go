package keyed

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// BenchmarkApply applies epochs of dirty keys spread over 1 M: ns per op is per epoch; ns/key is reported.
func BenchmarkApply(b *testing.B) {
	for _, keys := range []int{1_000, 50_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			s, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			var d Delta
			st := NewOpState(s, testOp, 0, 256, &d)
			value := make([]byte, 40)
			var key [8]byte
			x, epoch := uint64(1), uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				d.Reset()
				for range keys {
					x = x*6364136223846793005 + 1442695040888963407
					binary.BigEndian.PutUint64(key[:], x>>44)
					st.Put(0, uint16(x>>56), key[:], value)
				}
				epoch++
				if err := s.Apply(epoch, [][]byte{d.Bytes()}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(keys), "ns/key")
		})
	}
}
