package partitioner

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestPinned(t *testing.T) {
	p := Pinned(kgo.StickyKeyPartitioner(nil)).ForTopic("t")
	if got := p.Partition(&kgo.Record{Partition: 5}, 8); got != 5 {
		t.Errorf("hint 5 went to %d", got)
	}
	plain := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	r := &kgo.Record{Partition: -1, Key: []byte("k")}
	if p.Partition(r, 8) != plain.Partition(r, 8) {
		t.Error("without a hint the key decides")
	}
}
