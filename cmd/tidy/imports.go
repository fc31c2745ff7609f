package main

import (
	"fmt"
	"slices"
	"strings"
)

// testOnly are packages that test files of every layer may import.
var testOnly = []string{"connectors/all", "runtime/sqltest"}

// checkImports compares every import with picture.go.
func checkImports(t *tree) []offence {
	var found []offence
	for _, f := range t.goes {
		f.imports(func(p string, line int) {
			why := ""
			if own, ok := strings.CutPrefix(p, module+"/"); ok {
				why = judgeOwn(f, own)
			} else {
				why = judgeForeign(f, p)
			}
			if why != "" {
				found = append(found, offence{f.path, line, why})
			}
		})
	}
	return found
}

// judgeOwn says what is wrong with importing a package of ours, or nothing.
func judgeOwn(f *goFile, to string) string {
	if to == f.dir {
		return "" // the _test package of the folder
	}
	if f.test && slices.Contains(testOnly, to) {
		return ""
	}
	fromTop, toTop := top(f.dir), top(to)
	if fromTop != toTop && !slices.Contains(layers[fromTop], toTop) {
		return fmt.Sprintf("%s must not import %s: the picture has no edge from %s to %s", f.dir, to, fromTop, toTop)
	}
	if f.test {
		return ""
	}
	for _, s := range strangers {
		if f.dir == s.from && within(to, s.to) {
			return fmt.Sprintf("%s must not import %s: %s", f.dir, to, s.why)
		}
	}
	if why := judgeConnector(f.dir, to); why != "" {
		return why
	}
	if fromTop == toTop {
		return judgeFloor(f.dir, to)
	}
	return ""
}

// judgeConnector keeps implementations of connectors behind the registry.
func judgeConnector(from, to string) string {
	if !strings.HasPrefix(to, "connectors/") {
		return ""
	}
	if to == "connectors/conformance" {
		return "connectors/conformance is for tests"
	}
	if top(from) == "connectors" {
		return ""
	}
	who, open := openConnectors[to]
	if open && (who == nil || slices.ContainsFunc(who, func(dir string) bool { return within(from, dir) })) {
		return ""
	}
	return fmt.Sprintf("%s must not import %s: connectors are reached through the registry of package connectors", from, to)
}

// judgeFloor compares two packages of one top folder.
func judgeFloor(from, to string) string {
	rows := floors[top(from)]
	if rows == nil {
		return ""
	}
	a, b := floorOf(rows, from), floorOf(rows, to)
	switch {
	case a < 0:
		return from + " is not in the picture: give it a row in cmd/tidy/picture.go"
	case b < 0:
		return to + " is not in the picture: give it a row in cmd/tidy/picture.go"
	case b >= a:
		return fmt.Sprintf("%s must not import %s: it stands beside or above it in cmd/tidy/picture.go", from, to)
	}
	return ""
}

// floorOf finds the row of a package; a full name goes before the longest open one.
func floorOf(rows [][]string, dir string) int {
	best, bestLen := -1, 0
	for i, row := range rows {
		for _, name := range row {
			if name == dir {
				return i
			}
			if strings.HasSuffix(name, "/") && strings.HasPrefix(dir, name) && len(name) > bestLen {
				best, bestLen = i, len(name)
			}
		}
	}
	return best
}

// judgeForeign says what is wrong with importing a package of others, or nothing.
func judgeForeign(f *goFile, p string) string {
	for _, fence := range fences {
		if !within(p, fence.prefix) {
			continue
		}
		if fence.inTests && f.test || slices.ContainsFunc(fence.dirs, func(dir string) bool { return within(f.dir, dir) }) {
			return ""
		}
		return fmt.Sprintf("%s belongs in %s alone", p, strings.Join(fence.dirs, ", "))
	}
	return ""
}

// top is the first element of a path.
func top(p string) string {
	first, _, _ := strings.Cut(p, "/")
	return first
}

// within tells whether p is dir or below it.
func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, dir+"/")
}
