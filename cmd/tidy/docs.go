package main

import (
	"path"
	"slices"
	"strings"
)

// checkDocs wants a package comment in every package and a README.md in every folder.
func checkDocs(t *tree) []offence {
	var found []offence
	packages, documented := map[string]string{}, map[string]bool{}
	for _, f := range t.goes {
		if f.test {
			continue
		}
		if packages[f.dir] == "" {
			packages[f.dir] = f.path
		}
		if f.ast.Doc != nil {
			documented[f.dir] = true
		}
	}
	for dir, file := range packages {
		if !documented[dir] {
			found = append(found, offence{file, 0, "package " + dir + " has no package comment: add a doc.go"})
		}
	}
	for _, dir := range t.dirs() {
		if wantsReadme(dir) && !t.has(path.Join(dir, "README.md")) {
			found = append(found, offence{dir, 0, "the folder has no README.md"})
		}
	}
	return found
}

// wantsReadme spares folders of data, and dot folders, which say in one README.md what is below them.
func wantsReadme(dir string) bool {
	parts := strings.Split(dir, "/")
	return !strings.HasPrefix(dir, ".") && !slices.Contains(parts, "testdata") && !slices.Contains(parts, "data")
}
