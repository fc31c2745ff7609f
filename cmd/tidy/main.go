package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// checks is the table of rules, in the order of their messages.
var checks = []func(*tree) []offence{
	checkImports,
	checkSizes,
	checkNames,
	checkDocs,
	checkMap,
	checkTop,
	checkWords,
}

// offence is one broken rule at one place.
type offence struct {
	file string
	line int // from 1; 0 is the whole file
	text string
}

func (o offence) String() string {
	return fmt.Sprintf("%s:%d: %s", o.file, max(o.line, 1), o.text)
}

func main() {
	shrink := flag.Bool("shrink", false, "lower the numbers in "+ratchetFile+" to what the tree has now")
	flag.Parse()
	if err := run(*shrink); err != nil {
		fmt.Fprintf(os.Stderr, "tidy: %v\n", err)
		os.Exit(1)
	}
}

// run checks the tree that the current directory is in.
func run(shrink bool) error {
	root, err := findRoot()
	if err != nil {
		return err
	}
	t, err := load(root)
	if err != nil {
		return err
	}
	if shrink {
		return shrinkRatchet(root, t)
	}
	found := t.check()
	for _, o := range found {
		fmt.Println(o)
	}
	if len(found) > 0 {
		return fmt.Errorf("%d offences", len(found))
	}
	return nil
}

// check runs all rules and gives the offences, sorted within each rule.
func (t *tree) check() []offence {
	var all []offence
	for _, check := range checks {
		found := check(t)
		slices.SortStableFunc(found, func(a, b offence) int {
			if c := strings.Compare(a.file, b.file); c != 0 {
				return c
			}
			return a.line - b.line
		})
		all = append(all, found...)
	}
	return all
}

// findRoot walks up to the folder with go.mod.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod in this folder or above it")
		}
		dir = up
	}
}
