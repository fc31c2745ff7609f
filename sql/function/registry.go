package function

import (
	"fmt"
	"strings"
)

var (
	byName    = map[string]*Func{}
	aggByName = map[string]*Agg{}
	funcs     []*Func
	aggs      []*Agg
)

// init fixes the order of families: it is the order of the reference page.
func init() {
	register(operators()...)
	register(mathFuncs()...)
	register(textFuncs()...)
	register(timeFuncs()...)
	register(jsonFuncs()...)
	register(conditionalFuncs()...)
	register(arrayFuncs()...)
	register(mapFuncs()...)
	register(lambdaFuncs()...)
	register(geoFuncs()...)
	register(hashFuncs()...)
	register(networkFuncs()...)
	register(miscFuncs()...)
	registerAgg(aggregates()...)
	registerWindow(windowFunctions()...)
	registerAgg(conditionAggs()...)
	registerAgg(momentAggs()...)
	registerAgg(tallyAggs()...)
	registerAgg(append(digestAggs(), topKAgg())...)
	registerAgg(histogramAggs()...)
	registerAgg(pairAggs()...)
}

// register adds a family. A record without doc or example, or a name used twice, is a mistake of this package: it panics at start.
func register(family ...*Func) {
	for _, f := range family {
		if f.Doc == "" || f.Bind == nil || f.Family == "" || len(f.Signatures) == 0 {
			panic("function: incomplete record " + f.Name)
		}
		if narrowFamilies[f.Family] && !f.takesWide {
			f.Bind = narrowBinder(f.Bind)
		}
		funcs = append(funcs, f)
		for _, name := range append([]string{f.Name}, f.Aliases...) {
			if byName[name] != nil {
				panic("function: two records named " + name)
			}
			byName[name] = f
		}
	}
}

func registerAgg(family ...*Agg) {
	for _, a := range family {
		if a.Doc == "" || a.Bind == nil || len(a.Signatures) == 0 {
			panic("function: incomplete aggregate " + a.Name)
		}
		aggs = append(aggs, a)
		for _, name := range append([]string{a.Name}, a.Aliases...) {
			if aggByName[name] != nil {
				panic("function: two aggregates named " + name)
			}
			aggByName[name] = a
		}
	}
}

// Lookup finds a scalar function or operator by name or alias, in any case; nil when there is none.
func Lookup(name string) *Func {
	if f := byName[name]; f != nil {
		return f
	}
	return byName[strings.ToLower(name)]
}

// LookupAgg finds an aggregate by name or alias, in any case; nil when there is none.
func LookupAgg(name string) *Agg { return aggByName[strings.ToLower(name)] }

// All returns the scalar functions and operators, family by family. The caller must not change the slice.
func All() []*Func { return funcs }

// AllAggs returns the aggregates. The caller must not change the slice.
func AllAggs() []*Agg { return aggs }

// IsWindowFunction tells whether name is a function that only exists with OVER. Aggregates take OVER too, but do not need it.
func IsWindowFunction(name string) bool { return LookupWindow(name) != nil && LookupAgg(name) == nil }

// countError says that a call has the wrong number of arguments.
func countError(want string, got int) error {
	return fmt.Errorf("takes %s, got %d", want, got)
}
