package main

import (
	"slices"
	"strings"
)

// topEntries is all that the top folder holds, besides dot files.
var topEntries = []string{
	"sql", "planner", "runtime", "state", "connectors", "cmd", "examples",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE",
}

// checkTop keeps the top folder small.
func checkTop(t *tree) []offence {
	var found []offence
	seen := map[string]bool{}
	for _, p := range t.files {
		name := top(p)
		if seen[name] || strings.HasPrefix(name, ".") || slices.Contains(topEntries, name) {
			continue
		}
		seen[name] = true
		found = append(found, offence{p, 0, "the top folder has no place for " + name})
	}
	return found
}
