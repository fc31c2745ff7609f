package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the import path of the root.
const module = "github.com/millrace/millrace"

// maxFileBytes bounds what is read of a file for its text; larger ones are data.
const maxFileBytes = 1 << 20

// tree is the checked tree. Paths have slashes and start at the root.
type tree struct {
	fsys  fs.FS
	files []string // sorted
	goes  []*goFile
	text  map[string]string // of files that are text
}

// goFile is a parsed Go file.
type goFile struct {
	path      string
	dir       string
	test      bool // its name ends in _test.go
	generated bool
	lines     int
	set       *token.FileSet
	ast       *ast.File
}

func (f *goFile) line(p token.Pos) int { return f.set.Position(p).Line }

// imports gives each import path with its line.
func (f *goFile) imports(visit func(path string, line int)) {
	for _, spec := range f.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			visit(p, f.line(spec.Pos()))
		}
	}
}

// load reads the tree at root: the files git knows or would add, all files where there is no git.
func load(root string) (*tree, error) {
	fsys := os.DirFS(root)
	files, err := gitFiles(root)
	if err != nil {
		if files, err = walkFiles(fsys); err != nil {
			return nil, err
		}
	}
	return parseTree(fsys, files)
}

func gitFiles(root string) ([]string, error) {
	out, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("listing files with git: %w", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }), nil
}

func walkFiles(fsys fs.FS) ([]string, error) {
	var files []string
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (p == ".git" || p == "bin"):
			return fs.SkipDir
		case d.Type().IsRegular():
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

// parseTree reads the files that still exist.
func parseTree(fsys fs.FS, files []string) (*tree, error) {
	t := &tree{fsys: fsys, text: map[string]string{}}
	slices.Sort(files)
	for _, p := range slices.Compact(files) {
		info, err := fs.Stat(fsys, p)
		if err != nil || !info.Mode().IsRegular() {
			continue // deleted, not yet committed
		}
		t.files = append(t.files, p)
		if info.Size() > maxFileBytes {
			continue
		}
		data, err := fs.ReadFile(fsys, p)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(data, 0) {
			t.text[p] = string(data)
		}
		if strings.HasSuffix(p, ".go") && !strings.Contains("/"+p, "/testdata/") {
			f, err := parseGo(p, data)
			if err != nil {
				return nil, err
			}
			t.goes = append(t.goes, f)
		}
	}
	return t, nil
}

func parseGo(p string, data []byte) (*goFile, error) {
	f := &goFile{path: p, dir: path.Dir(p), test: strings.HasSuffix(p, "_test.go"), set: token.NewFileSet()}
	var err error
	f.ast, err = parser.ParseFile(f.set, p, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parsing: %w", err)
	}
	f.lines = strings.Count(string(data), "\n")
	f.generated = ast.IsGenerated(f.ast)
	return f, nil
}

// dirs gives the folders that hold files of their own, sorted, without the root.
func (t *tree) dirs() []string {
	var dirs []string
	for _, p := range t.files {
		if d := path.Dir(p); d != "." {
			dirs = append(dirs, d)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// has tells whether a file or folder is in the tree.
func (t *tree) has(p string) bool {
	p = strings.TrimSuffix(p, "/")
	i, found := slices.BinarySearch(t.files, p)
	if found {
		return true
	}
	for ; i < len(t.files) && strings.HasPrefix(t.files[i], p); i++ {
		if strings.HasPrefix(t.files[i], p+"/") {
			return true
		}
	}
	return false
}
