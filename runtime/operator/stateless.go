package operator

// stateless is embedded by operators that keep nothing: it does all calls but Push.
type stateless struct{ ctx *Context }

// Open keeps the context.
func (s *stateless) Open(ctx *Context) error {
	s.ctx = ctx
	return nil
}

// Watermark passes t on.
func (s *stateless) Watermark(t int64, _ Output) (int64, error) { return t, nil }

// Barrier has nothing to write.
func (s *stateless) Barrier(uint64) error { return nil }

// End has nothing to emit.
func (s *stateless) End(int, Output) error { return nil }

// Close has nothing to release.
func (s *stateless) Close() error { return nil }
