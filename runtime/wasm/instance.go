package wasm

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/millrace/millrace/sql/vector"
)

// maxIdle bounds the instances that a function keeps for later calls.
const maxIdle = 16

// errDropped says that the function was dropped or replaced while a query that calls it runs.
var errDropped = errors.New("it was dropped")

// errTimeout says that a call took longer than it may.
var errTimeout = errors.New("it took longer than its timeout")

// instance is one copy of a module's memory. It serves one call at a time; after a failed one it is thrown away.
type instance struct {
	module api.Module
	alloc  api.Function
	call   api.Function
	args   arguments
	stack  [2]uint64
}

// instance gives an idle instance, or makes one.
func (m *Module) instance(ctx context.Context) (*instance, error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, errDropped
	}
	m.running++
	if n := len(m.idle); n > 0 {
		i := m.idle[n-1]
		m.idle = m.idle[:n-1]
		m.mu.Unlock()
		return i, nil
	}
	m.mu.Unlock()
	i, err := m.start(ctx)
	if err != nil {
		m.release(nil)
	}
	return i, err
}

// start makes an instance.
func (m *Module) start(ctx context.Context) (*instance, error) {
	ctx, cancel := context.WithTimeout(ctx, max(m.opt.Timeout, minStartTime))
	defer cancel()
	// Without a name instances do not get into each other's way. No start function but _initialize: _start is that of a program.
	module, err := m.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return nil, fmt.Errorf("starting it failed: %w", outcome(ctx, err))
	}
	return &instance{module: module, alloc: module.ExportedFunction("alloc"), call: module.ExportedFunction(m.opt.Export),
		args: arguments{codes: m.codes, texts: make([]*vector.Vector, len(m.codes))}}, nil
}

// release ends the use of an instance and keeps it for the next call; nil: it is gone.
func (m *Module) release(i *instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running--
	switch {
	case m.closed && m.running == 0:
		_ = m.runtime.Close(context.Background())
	case i == nil:
	case len(m.idle) < maxIdle && !m.closed:
		m.idle = append(m.idle, i)
	default:
		_ = i.module.Close(context.Background())
	}
}

// discard ends the use of an instance whose memory cannot be trusted any more.
func (m *Module) discard(i *instance) {
	_ = i.module.Close(context.Background())
	m.release(nil)
}

// invoke calls the function for some rows of args. The answer lies in the instance's memory: it is valid until the next call.
func (i *instance) invoke(ctx context.Context, m *Module, args []*vector.Vector, rows []int32) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, m.opt.Timeout)
	defer cancel()
	size := i.args.size(args, rows)
	if size > uint64(m.opt.MemoryLimit) {
		return nil, fmt.Errorf("its arguments of %d bytes do not fit its memory of %d", size, m.opt.MemoryLimit)
	}
	i.stack[0] = size
	if err := i.alloc.CallWithStack(ctx, i.stack[:]); err != nil {
		return nil, fmt.Errorf("alloc: %w", outcome(ctx, err))
	}
	at := uint32(i.stack[0])
	block, ok := i.module.Memory().Read(at, uint32(size))
	if at == 0 || !ok {
		return nil, fmt.Errorf("alloc has no room for %d bytes", size)
	}
	i.args.write(block, args, rows)
	i.stack[0], i.stack[1] = uint64(at), size
	if err := i.call.CallWithStack(ctx, i.stack[:]); err != nil {
		return nil, outcome(ctx, err)
	}
	from, length := uint32(i.stack[0]>>32), uint32(i.stack[0])
	if block, ok = i.module.Memory().Read(from, length); !ok {
		return nil, fmt.Errorf("the result lies outside its memory: %d bytes at %d", length, from)
	}
	return readAnswer(block, m.code, len(rows))
}

// outcome says in words of ours why a call ended.
func outcome(ctx context.Context, err error) error {
	var exit *sys.ExitError
	switch {
	case ctx.Err() != nil, errors.As(err, &exit) && exit.ExitCode() == sys.ExitCodeDeadlineExceeded:
		return errTimeout
	}
	return errors.New(plain(err))
}
