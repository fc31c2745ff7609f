package main

import (
	"fmt"
	"path"
	"slices"
)

// bannedNames collect anything and say nothing; the code goes beside its first user.
var bannedNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "base", "misc"}

// checkNames looks for such names of packages and folders.
func checkNames(t *tree) []offence {
	var found []offence
	for _, dir := range t.dirs() {
		if slices.Contains(bannedNames, path.Base(dir)) {
			found = append(found, offence{dir, 0, fmt.Sprintf("no folder is called %s: put its content beside its first user", path.Base(dir))})
		}
	}
	for _, f := range t.goes {
		if slices.Contains(bannedNames, f.ast.Name.Name) {
			found = append(found, offence{f.path, f.line(f.ast.Package), fmt.Sprintf("no package is called %s", f.ast.Name.Name)})
		}
	}
	return found
}
