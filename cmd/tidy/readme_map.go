package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// mapHeading opens the section of README.md whose block names every folder, one a line: path, then what it is for.
const mapHeading = "## Map"

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	link     = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
	pathLike = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_./-]*$`)
)

// checkMap compares the maps with the tree: README.md names every folder and nothing that is gone; links of all README.md
// files lead somewhere.
func checkMap(t *tree) []offence {
	found := t.checkRootMap()
	for _, p := range t.files {
		if path.Base(p) != "README.md" {
			continue
		}
		for i, line := range strings.Split(t.text[p], "\n") {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				if !t.has(path.Join(path.Dir(p), m[1])) {
					found = append(found, offence{p, i + 1, "the link leads nowhere: " + m[1]})
				}
			}
		}
	}
	return found
}

func (t *tree) checkRootMap() []offence {
	const readme = "README.md"
	text, ok := t.text[readme]
	if !ok {
		return []offence{{readme, 0, "there is no README.md"}}
	}
	var found []offence
	listed := map[string]bool{}
	inMap, inBlock := false, false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inBlock = !inBlock
		case strings.HasPrefix(line, "## "):
			inMap = line == mapHeading
		case inMap && inBlock && strings.TrimSpace(line) != "":
			name := strings.TrimSuffix(strings.Fields(line)[0], "/")
			listed[name] = true
			if !t.has(name) {
				found = append(found, offence{readme, i + 1, "the map names " + name + ", which is gone"})
			}
		case !inBlock:
			found = append(found, t.checkSpans(line, i+1)...)
		}
	}
	for _, dir := range t.dirs() {
		if wantsReadme(dir) && !listed[dir] {
			found = append(found, offence{readme, 0, fmt.Sprintf("the map lacks %s", dir)})
		}
	}
	return found
}

// checkSpans looks at the words in `code` that begin with a folder of ours. A name with x for a new thing is a pattern.
func (t *tree) checkSpans(line string, number int) []offence {
	var found []offence
	for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
		for _, word := range strings.Fields(m[1]) {
			word = strings.TrimPrefix(word, "./")
			if !strings.Contains(word, "/") || !pathLike.MatchString(word) || !t.has(top(word)) || isPattern(word) {
				continue
			}
			if !t.has(word) {
				found = append(found, offence{"README.md", number, "there is no " + word})
			}
		}
	}
	return found
}

// isPattern tells a name like planner/optimizer/x.go, or a folder of "./..." form, from a path.
func isPattern(p string) bool {
	name := strings.TrimSuffix(path.Base(p), path.Ext(p))
	return name == "x" || strings.Contains(p, "...")
}
