package catalog

import (
	"slices"
	"sync"
	"testing"

	"github.com/millrace/millrace/sql/types"
)

func TestNamesIgnoreCase(t *testing.T) {
	c := New()
	first := &Relation{Name: "Trips", Kind: Source}
	if !c.Add(first, false) {
		t.Fatal("an empty catalog has no Trips")
	}
	if c.Add(&Relation{Name: "tRIPS"}, false) {
		t.Error("TRIPS was added beside Trips")
	}
	if c.Get("TRIPS") != first {
		t.Error("TRIPS is not found")
	}
	second := &Relation{Name: "trips", Kind: View}
	if !c.Add(second, true) || c.Get("Trips") != second {
		t.Error("OR REPLACE did not replace")
	}
	if !c.Drop("tripS") || c.Drop("trips") || c.Get("trips") != nil {
		t.Error("dropping once must succeed, twice must not")
	}
}

func TestListIsSortedAndFiltered(t *testing.T) {
	c := New()
	for _, r := range []*Relation{{Name: "b", Kind: Sink}, {Name: "c", Kind: Source}, {Name: "a", Kind: Source}} {
		c.Add(r, false)
	}
	if got := c.Names(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("names %v", got)
	}
	if got := c.List(Source); len(got) != 2 || got[0].Name != "a" || got[1].Name != "c" {
		t.Errorf("sources %v", got)
	}
}

func TestRelationColumns(t *testing.T) {
	r := &Relation{Columns: []Column{{Name: "Id", Type: types.Of(types.Int64)}, {Name: "name", Type: types.Of(types.String)}}}
	if r.Column("ID") != 0 || r.Column("NAME") != 1 || r.Column("x") != -1 {
		t.Error("columns are found by name in any case")
	}
	if f := r.Fields(); len(f) != 2 || f[0].Name != "Id" || f[1].Type.Kind != types.String {
		t.Errorf("fields %v", f)
	}
}

// Meant for -race.
func TestConcurrentUse(t *testing.T) {
	c := New()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := string(rune('a' + i))
			for range 100 {
				c.Add(&Relation{Name: name}, true)
				_ = c.Names()
				c.Drop(name)
			}
		})
	}
	wg.Wait()
	if n := len(c.Names()); n != 0 {
		t.Errorf("%d relations are left", n)
	}
}
