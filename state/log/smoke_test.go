package log

import (
	"context"
	"fmt"
	"testing"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		off, err := l.AppendRecord([]byte("k"), []byte(fmt.Sprint(i)))
		if err != nil || off != int64(i) {
			t.Fatal(off, err)
		}
	}
	if err := l.WaitVisible(context.Background(), 10); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err = Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := 0
	if err := l.Each(3, func(r *Record) error { n++; return nil }); err != nil || n != 7 {
		t.Fatal(n, err)
	}
}
