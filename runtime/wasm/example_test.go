package wasm

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var update = flag.Bool("update", false, "assemble the module of the example again")

// TestExample assembles the source of the example: it must give the module that lies beside it, and the module must work.
func TestExample(t *testing.T) {
	const source, file = "../../examples/functions/luhn.wat", "../../examples/functions/luhn.wasm"
	src, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	module := assemble(t, string(src))
	if *update {
		if err := os.WriteFile(file, module, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, module) {
		t.Errorf("%s is not the module of %s (%v); go test -update", file, source, err)
	}
	fn := compileWith(t, module, Signature{Name: "luhn", Params: []types.Type{text}, Returns: types.Of(types.Bool)}, Options{})
	v := vector.New(text, 4)
	for _, s := range []string{"4539 1488 0343 6467", "8273 1232 7352 0569", "79927398713", "", "x"} {
		v.AppendString(s)
	}
	if got, errs := call(t, fn, nil, v); got != "1 0 1 0 0" || len(errs) > 0 {
		t.Errorf("got %s, %v", got, errs)
	}
	big := vector.New(text, vector.MaxRows)
	for range vector.MaxRows {
		big.AppendString("4539 1488 0343 6467 4539 1488 0343 6467 4539 1488 0343 6467")
	}
	if _, errs := call(t, fn, nil, big); len(errs) > 0 {
		t.Errorf("a full batch: %d errors, such as %q", len(errs), errs[0])
	}
}
