package diag

import (
	"errors"
	"os"
	"testing"
)

func TestInScript(t *testing.T) {
	e := New(SyntaxError, 3, "wrong")
	e.End, e.Source = 5, "SELECT"
	got, _ := As(InScript(e, 10, "the whole"))
	if got.Offset != 13 || got.End != 15 || got.Source != "the whole" {
		t.Fatalf("moved to %d-%d of %q", got.Offset, got.End, got.Source)
	}
	if e.Offset != 3 || e.Source != "SELECT" {
		t.Fatal("the original has changed")
	}
	if got, _ := As(InScript(New(SyntaxError, -1, "nowhere"), 10, "x")); got.Offset != -1 {
		t.Fatalf("an error without position got offset %d", got.Offset)
	}
	if plain := errors.New("plain"); InScript(plain, 1, "x") != plain || WithSource(plain, "x") != plain {
		t.Fatal("an error without code has changed")
	}
}

func TestWithSourceKeepsSource(t *testing.T) {
	e := New(SyntaxError, 3, "wrong")
	if got, _ := As(WithSource(e, "a")); got.Source != "a" || got.Offset != 3 {
		t.Fatalf("source %q, offset %d", got.Source, got.Offset)
	}
	e.Source = "b"
	if got, _ := As(WithSource(e, "a")); got.Source != "b" {
		t.Fatal("the source was replaced")
	}
}

func TestPathCause(t *testing.T) {
	_, err := os.Open("/nonexistent/file")
	if got := PathCause(err).Error(); got != "no such file or directory" {
		t.Fatal(got)
	}
}
