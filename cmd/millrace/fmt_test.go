package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFmt runs the command in its forms and with its exit codes.
func TestFmt(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "ugly.sql", "select 1 as a from t -- one\n")
	write(t, dir, "fair.sql", "SELECT 1 AS a\nFROM t;\n")
	write(t, dir, "broken.sql", "SELECT 'a\n")
	const fair = "SELECT 1 AS a\nFROM t -- one\n"
	for name, c := range map[string]struct {
		args  []string
		stdin string
		code  int
		words []string
	}{
		"standard input": {[]string{"fmt"}, "select 1 as a from t -- one", exitOK, []string{fair}},
		"dash":           {[]string{"fmt", "-"}, "select 1 as a from t -- one", exitOK, []string{fair}},
		"file":           {[]string{"fmt", "ugly.sql"}, "", exitOK, []string{fair}},
		"check":          {[]string{"fmt", "--check", "ugly.sql", "fair.sql"}, "", exitTest, []string{"ugly.sql\n", "1 of 2"}},
		"check passes":   {[]string{"fmt", "--check", "fair.sql"}, "", exitOK, nil},
		"unclosed":       {[]string{"fmt", "broken.sql"}, "", exitError, []string{"MR-1003", "1:8"}},
		"no such file":   {[]string{"fmt", "nosuch.sql"}, "", exitError, []string{"nosuch.sql"}},
		"both":           {[]string{"fmt", "-w", "--check", "fair.sql"}, "", exitUsage, nil},
		"write input":    {[]string{"fmt", "-w", "-"}, "", exitUsage, []string{"-w"}},
	} {
		t.Run(name, func(t *testing.T) { command(t, dir, c.stdin, c.args...).want(t, c.code, c.words...) })
	}
	command(t, dir, "", "fmt", "-w", "ugly.sql").want(t, exitOK)
	if b, err := os.ReadFile(filepath.Join(dir, "ugly.sql")); err != nil || string(b) != fair {
		t.Errorf("written back: %q, %v", b, err)
	}
}

// TestExamplesFormatted holds the examples to the layout of millrace fmt.
func TestExamplesFormatted(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for i, f := range files {
		if files[i], err = filepath.Abs(f); err != nil {
			t.Fatal(err)
		}
	}
	command(t, t.TempDir(), "", append([]string{"fmt", "--check"}, files...)...).want(t, exitOK)
}
