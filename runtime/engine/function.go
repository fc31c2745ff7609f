package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/runtime/wasm"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// maxFunctions bounds the functions of an engine.
const maxFunctions = 10_000

// base64Prefix begins the text of a module that is not a path.
const base64Prefix = "base64:"

// functionOptions are the options of LANGUAGE wasm.
var functionOptions = []connectors.Option{
	{Name: "export", Doc: "name of the function in the module; default: its name in SQL"},
	{Name: "memory_limit", Type: connectors.OptSize, Default: "16MiB", Doc: "memory of one instance, up to 1GiB, such as '16MB'"},
	{Name: "timeout", Type: connectors.OptDuration, Default: "100ms", Doc: "time that one call with a batch of rows may take, from 1ms to 1m, such as '100ms'"},
	{Name: "null_input", Type: connectors.OptEnum, Default: "null", Values: []string{"null", "call"}, Doc: "what a row with a NULL argument does: its result is null, or the function is called with it"},
}

// functions is the part of the engine that runs functions of the user's.
type functions struct {
	host *wasm.Host

	mu      sync.Mutex
	modules map[string]*wasm.Module // by lower-case function name; guarded by mu
}

func newFunctions() *functions {
	return &functions{host: wasm.NewHost(), modules: map[string]*wasm.Module{}}
}

// put keeps the module of a function; that of a function replaced or dropped (m is nil) is given back.
func (f *functions) put(name string, m *wasm.Module) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := strings.ToLower(name)
	if old := f.modules[key]; old != nil {
		old.Close()
	}
	delete(f.modules, key)
	if m != nil {
		f.modules[key] = m
	}
}

func (f *functions) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.modules {
		m.Close()
	}
	clear(f.modules)
}

func (s *Session) createFunction(ctx context.Context, x *ast.CreateFunction, text string) (*Result, error) {
	s.e.ddl.Lock()
	defer s.e.ddl.Unlock()
	old := s.e.catalog.Function(x.Name.Text)
	switch {
	case old == nil && len(s.e.catalog.Functions()) >= maxFunctions:
		return nil, diag.New(diag.NotSupported, x.Name.At(), "there are %d functions: no more are possible", maxFunctions)
	case old != nil && x.IfNotExists:
		return message("function %s exists already", old.Name), nil
	case old != nil && !x.OrReplace:
		return nil, diag.New(diag.DuplicateName, x.Name.At(), "function '%s' exists already", old.Name).WithHint("CREATE OR REPLACE FUNCTION, or write IF NOT EXISTS")
	case old != nil && sameStatement(old.SQL, text):
		return message("function %s is the same already", old.Name), nil
	case old != nil:
		if err := s.e.functionInUse(old.Name, x.Name); err != nil {
			return nil, err
		}
	}
	f, err := planner.BindFunction(x, s.env(false))
	if err != nil {
		return nil, err
	}
	st := storedStatement{Kind: kindFunction, Name: f.Name, SQL: text}
	var module *wasm.Module
	if f.Language == "wasm" {
		data, err := readModule(x)
		if err != nil {
			return nil, err
		}
		if module, err = compileFunction(ctx, s.e.functions.host, f, x, data); err != nil {
			return nil, err
		}
		if st.Module, err = s.e.keepModule(data); err != nil {
			module.Close()
			return nil, err
		}
	}
	f.SQL = text
	if err := s.e.store.put(st); err != nil {
		return nil, err
	}
	s.e.functions.put(f.Name, module)
	s.e.catalog.AddFunction(f)
	return message("created function %s", f.Name), nil
}

// functionInUse is the error that names what calls a function; nil when nothing does.
func (e *Engine) functionInUse(name string, at ast.Name) error {
	key := strings.ToLower(name)
	var users []string
	for _, f := range e.catalog.Functions() {
		if slices.Contains(f.Uses, key) {
			users = append(users, "function "+f.Name)
		}
	}
	for _, r := range e.catalog.List() {
		if slices.Contains(r.Functions, key) {
			users = append(users, r.Kind.String()+" "+r.Name)
		}
	}
	e.mu.Lock()
	for j, u := range e.uses {
		if slices.Contains(u.functions, key) && e.catalog.Get(j) == nil {
			users = append(users, "job "+j)
		}
	}
	e.mu.Unlock()
	if len(users) == 0 {
		return nil
	}
	slices.Sort(users)
	return diag.New(diag.DependentObjects, at.At(), "function '%s' is used by %s", name, strings.Join(users, ", ")).WithHint("drop those first")
}

func (s *Session) dropFunction(x *ast.Drop) (*Result, error) {
	f := s.e.catalog.Function(x.Name.Text)
	if f == nil {
		if x.IfExists {
			return message("function %s does not exist", x.Name.Text), nil
		}
		return nil, s.e.unknownFunction(x.Name)
	}
	if err := s.e.functionInUse(f.Name, x.Name); err != nil {
		return nil, err
	}
	s.e.catalog.DropFunction(f.Name)
	s.e.functions.put(f.Name, nil)
	st := s.e.store.findKind(kindFunction, f.Name)
	hash := ""
	if st != nil {
		hash = st.Module
	}
	if err := s.e.store.removeKind(kindFunction, f.Name); err != nil {
		return nil, err
	}
	s.e.forgetModule(hash)
	return message("dropped function %s", f.Name), nil
}

func (e *Engine) unknownFunction(name ast.Name) error {
	var names []string
	for _, f := range e.catalog.Functions() {
		names = append(names, f.Name)
	}
	err := diag.New(diag.UnknownFunction, name.At(), "unknown function '%s'", name.Text)
	if near := diag.Suggest(name.Text, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err.WithHint("SHOW FUNCTIONS lists them; built-in ones cannot be changed")
}

// readModule reads the bytes of a module: from a file, or from the statement itself.
func readModule(x *ast.CreateFunction) ([]byte, error) {
	at := int(x.TextPos)
	if text, ok := strings.CutPrefix(x.Text, base64Prefix); ok {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, diag.New(diag.BadFunction, at, "the module is no base64: %v", err)
		}
		return data, nil
	}
	info, err := os.Stat(x.Text)
	if err != nil {
		return nil, diag.New(diag.FileAccess, at, "cannot read the module %s: %v", x.Text, diag.PathCause(err)).Wrap(err).
			WithHint("a path on the machine of the engine, or 'base64:..'")
	}
	if info.IsDir() || info.Size() > wasm.MaxModuleBytes {
		return nil, diag.New(diag.BadFunction, at, "the module %s has %d bytes, more than %d", x.Text, info.Size(), wasm.MaxModuleBytes)
	}
	data, err := os.ReadFile(x.Text)
	if err != nil {
		return nil, diag.New(diag.FileAccess, at, "cannot read the module %s: %v", x.Text, diag.PathCause(err)).Wrap(err)
	}
	return data, nil
}

// compileFunction makes the module of a WebAssembly function and completes its entry.
func compileFunction(ctx context.Context, host *wasm.Host, f *catalog.Function, x *ast.CreateFunction, data []byte) (*wasm.Module, error) {
	for i, p := range f.Params {
		if err := passable(p.Type, x.Params[i].Type.At()); err != nil {
			return nil, err
		}
	}
	if err := passable(f.Returns, x.Returns.At()); err != nil {
		return nil, err
	}
	opt, err := functionLimits(x)
	if err != nil {
		return nil, err
	}
	m, err := host.Compile(ctx, data, signatureOf(f), opt)
	if err != nil {
		return nil, diag.New(diag.BadFunction, int(x.TextPos), "the module cannot be used: %v", err).WithHint("runtime/wasm/FORMAT.md says what a module must look like")
	}
	if f.Func, err = m.Func(f.Signature(), "A function of the user's, in WebAssembly."); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func signatureOf(f *catalog.Function) wasm.Signature {
	sig := wasm.Signature{Name: f.Name, Returns: f.Returns, Deterministic: f.Deterministic}
	for _, p := range f.Params {
		sig.Params = append(sig.Params, p.Type)
	}
	return sig
}

func passable(t types.Type, at int) error {
	if !wasm.Unsupported(t) {
		return nil
	}
	return diag.New(diag.BadFunction, at, "%s cannot be passed to or from a WebAssembly function", t).
		WithHint("pass numbers, BOOLEAN, text, bytes, JSON, dates and times; nested values as JSON")
}

// functionLimits reads the WITH clause.
func functionLimits(x *ast.CreateFunction) (wasm.Options, error) {
	v, err := checkOptions(x.Options, functionOptions)
	if err != nil {
		return wasm.Options{}, err
	}
	o := wasm.Options{Export: v.String("export"), MemoryLimit: v.Size("memory_limit"), Timeout: v.Duration("timeout"), CallOnNull: v.String("null_input") == "call"}
	switch {
	case o.MemoryLimit < 64<<10 || o.MemoryLimit > wasm.MaxMemory:
		return o, badValue(x.Options, "memory_limit", "must be between 64KiB and 1GiB")
	case o.Timeout < time.Millisecond || o.Timeout > wasm.MaxTimeout:
		return o, badValue(x.Options, "timeout", "must be between 1ms and 1m")
	}
	return o, nil
}

// checkOptions checks a WITH clause against the options there are; errors are at the option.
func checkOptions(given []ast.Option, spec []connectors.Option) (connectors.Values, error) {
	set := map[string]string{}
	for _, o := range given {
		key := strings.ToLower(o.Key)
		if _, twice := set[key]; twice {
			return connectors.Values{}, diag.New(diag.BadOption, o.At(), "option '%s' is given twice", key)
		}
		set[key] = o.Value
	}
	v, err := connectors.CheckOptions(set, spec)
	d, ok := diag.As(err)
	if !ok {
		return v, err
	}
	placed := *d
	for _, o := range given {
		if strings.Contains(d.Message, "'"+strings.ToLower(o.Key)+"'") {
			if placed.Offset = int(o.ValuePos); strings.HasPrefix(d.Message, "unknown option") {
				placed.Offset = o.At()
			}
		}
	}
	return v, &placed
}

func badValue(given []ast.Option, key, what string) error {
	for _, o := range given {
		if strings.EqualFold(o.Key, key) {
			return diag.New(diag.BadOption, int(o.ValuePos), "option '%s' %s", key, what)
		}
	}
	return diag.New(diag.BadOption, -1, "option '%s' %s", key, what)
}

func (e *Engine) modulePath(hash string) string {
	return filepath.Join(e.dir, "functions", hash+".wasm")
}

// keepModule stores a module under the hash of its content, so that a restart does not need the file it came from.
func (e *Engine) keepModule(data []byte) (hash string, err error) {
	sum := sha256.Sum256(data)
	hash = hex.EncodeToString(sum[:])
	path := e.modulePath(hash)
	if _, err := os.Stat(path); err == nil {
		return hash, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", unusable(e.dir, err)
	}
	if err := replaceFile(path, data, !e.temp); err != nil {
		return "", unusable(e.dir, err)
	}
	return hash, nil
}

// forgetModule removes a module that no function uses any more.
func (e *Engine) forgetModule(hash string) {
	if hash == "" || slices.ContainsFunc(e.store.data.Statements, func(st storedStatement) bool { return st.Module == hash }) {
		return
	}
	if err := os.Remove(e.modulePath(hash)); err != nil {
		e.opt.Logger.Warn("removing the module of a dropped function failed", "err", err)
	}
}

// restoreFunction makes a stored function anew.
func (e *Engine) restoreFunction(s *Session, x *ast.CreateFunction, st storedStatement) error {
	f, err := planner.BindFunction(x, s.env(false))
	if err != nil {
		return err
	}
	if f.Language == "wasm" {
		data, err := os.ReadFile(e.modulePath(st.Module))
		if err != nil {
			return fmt.Errorf("reading the module of function %s: %w", f.Name, err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != st.Module {
			return diag.New(diag.StorageUnusable, -1, "the stored module of function %s is damaged", f.Name)
		}
		m, err := compileFunction(context.Background(), e.functions.host, f, x, data)
		if err != nil {
			return err
		}
		e.functions.put(f.Name, m)
	}
	f.SQL = st.SQL
	e.catalog.AddFunction(f)
	return nil
}

// sameStatement tells whether two texts are the same but for what surrounds them.
func sameStatement(a, b string) bool {
	trim := func(s string) string { return strings.TrimRight(strings.TrimSpace(s), "; \t\r\n") }
	return trim(a) == trim(b)
}
