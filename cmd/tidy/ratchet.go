package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ratchetFile lists what is larger than its limit and was so when the limit came: one "FILE WHAT SIZE" a line. Its numbers
// only fall and its lines only go: a change that grows one of them fails, one that shrinks it lowers the number.
const ratchetFile = "cmd/tidy/ratchet.txt"

type ratchetEntry struct {
	size int
	line int
}

// readRatchet gives the entries by key, and what is wrong with the file.
func readRatchet(t *tree) (map[string]ratchetEntry, []offence) {
	entries := map[string]ratchetEntry{}
	var bad []offence
	for i, line := range strings.Split(t.text[ratchetFile], "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cut := strings.LastIndexByte(line, ' ')
		size, err := strconv.Atoi(line[cut+1:])
		if cut < 0 || err != nil {
			bad = append(bad, offence{ratchetFile, i + 1, "a line is FILE WHAT SIZE"})
			continue
		}
		entries[line[:cut]] = ratchetEntry{size, i + 1}
	}
	return entries, bad
}

// shrinkRatchet writes the ratchet anew with what is both in it and in the tree, each at the smaller size.
func shrinkRatchet(root string, t *tree) error {
	text := shrunk(t)
	if err := os.WriteFile(filepath.Join(root, ratchetFile), []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the ratchet: %w", err)
	}
	return nil
}

func shrunk(t *tree) string {
	old, _ := readRatchet(t)
	var b strings.Builder
	for _, line := range strings.SplitAfter(t.text[ratchetFile], "\n") {
		if strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	for _, e := range t.excesses() {
		if r, ok := old[e.key()]; ok {
			fmt.Fprintf(&b, "%s %d\n", e.key(), min(e.size, r.size))
		}
	}
	return b.String()
}
