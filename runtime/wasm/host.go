package wasm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/millrace/millrace/sql/types"
)

// Defaults and limits of a function.
const (
	DefaultMemory  = 16 << 20
	MaxMemory      = 1 << 30
	DefaultTimeout = 100 * time.Millisecond
	MaxTimeout     = time.Minute
	// minStartTime is what a fresh instance gets at least to initialise itself.
	minStartTime = time.Second
	pageBytes    = 64 << 10
)

// Signature is what SQL knows of a function.
type Signature struct {
	Name          string
	Params        []types.Type
	Returns       types.Type
	Deterministic bool
}

// Options are the limits of a function. Zero values mean the defaults.
type Options struct {
	Export      string        // of the module; default: the function's name
	MemoryLimit int64         // bytes of one instance, rounded up to pages of 64 KiB
	Timeout     time.Duration // of one call
	CallOnNull  bool          // rows with NULL arguments are sent too
}

// Host compiles modules. Compiled code is shared by functions of the same module. It is safe for concurrent use.
type Host struct{ cache wazero.CompilationCache }

// NewHost makes a host.
func NewHost() *Host { return &Host{cache: wazero.NewCompilationCache()} }

// Module is a compiled function. It is safe for concurrent use: each call that runs has an instance of its own.
type Module struct {
	sig      Signature
	opt      Options
	codes    []uint32
	code     uint32 // of the result
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	scratch  sync.Pool // of *batch

	mu      sync.Mutex
	idle    []*instance // guarded by mu
	running int         // guarded by mu; instances that serve a call
	closed  bool        // guarded by mu
}

// Unsupported tells whether values of a type cannot be passed.
func Unsupported(t types.Type) bool { return codeOf(t) == 0 }

// Compile checks and compiles a module and makes one instance of it to try. Errors say what is wrong with the module, in words that follow
// "the module cannot be used: ".
func (h *Host) Compile(ctx context.Context, module []byte, sig Signature, opt Options) (*Module, error) {
	if err := inspect(module); err != nil {
		return nil, err
	}
	if opt.Export == "" {
		opt.Export = sig.Name
	}
	if opt.MemoryLimit <= 0 {
		opt.MemoryLimit = DefaultMemory
	}
	if opt.Timeout <= 0 {
		opt.Timeout = DefaultTimeout
	}
	m := &Module{sig: sig, opt: opt, code: codeOf(sig.Returns)}
	for _, p := range sig.Params {
		m.codes = append(m.codes, codeOf(p))
	}
	pages := uint32((opt.MemoryLimit + pageBytes - 1) / pageBytes)
	m.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(pages).WithCloseOnContextDone(true).
		WithCompilationCache(h.cache).WithDebugInfoEnabled(false))
	err := m.compile(ctx, module)
	if err == nil {
		var first *instance
		if first, err = m.instance(ctx); err == nil {
			m.release(first)
		}
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Close gives a function's memory back, when the last call that runs has ended. Calls from now on fail.
func (m *Module) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.idle = nil
	if m.running == 0 {
		_ = m.runtime.Close(context.Background())
	}
}

func (m *Module) compile(ctx context.Context, module []byte) (err error) {
	if m.compiled, err = m.runtime.CompileModule(ctx, module); err != nil {
		return fmt.Errorf("it is not valid: %s", plain(err))
	}
	if len(m.compiled.ExportedMemories()) == 0 || m.compiled.ExportedMemories()["memory"] == nil {
		return errors.New("it does not export 'memory'")
	}
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	if err := m.exports("alloc", []api.ValueType{i32}, []api.ValueType{i32}); err != nil {
		return err
	}
	return m.exports(m.opt.Export, []api.ValueType{i32, i32}, []api.ValueType{i64})
}

// exports checks the signature of an exported function.
func (m *Module) exports(name string, params, results []api.ValueType) error {
	f := m.compiled.ExportedFunctions()[name]
	want := wasmSignature(params, results)
	if f == nil {
		return fmt.Errorf("it does not export the function %s %s", name, want)
	}
	if have := wasmSignature(f.ParamTypes(), f.ResultTypes()); have != want {
		return fmt.Errorf("its function %s is %s, not %s", name, have, want)
	}
	return nil
}

func wasmSignature(params, results []api.ValueType) string {
	list := func(ts []api.ValueType) string {
		s := ""
		for i, t := range ts {
			if i > 0 {
				s += ", "
			}
			s += api.ValueTypeName(t)
		}
		return s
	}
	return "(" + list(params) + ") -> (" + list(results) + ")"
}

// plain is the first line of an error of the runtime, without its trace.
func plain(err error) string {
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return fmt.Sprintf("it exited with %d", exit.ExitCode())
	}
	s := err.Error()
	for i := range s {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}
