package function

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Types that signatures use all the time.
var (
	tBool     = types.Of(types.Bool)
	tInt      = types.Of(types.Int64)
	tFloat    = types.Of(types.Float64)
	tText     = types.Of(types.String)
	tBytes    = types.Of(types.Bytes)
	tJSON     = types.Of(types.JSON)
	tDate     = types.Of(types.Date)
	tTime     = types.Of(types.Time)
	tDatetime = types.Of(types.Datetime)
	tStamp    = types.Of(types.Timestamp)
	tInterval = types.Of(types.Interval)
)

type binder = func(args []Arg) (Bound, error)

// def makes the record of a function. The signature names it: "upper(s)"; alternatives are separated by " | ". Examples alternate
// SQL and result.
func def(signature, doc string, bind binder, examples ...string) *Func {
	name, _, _ := strings.Cut(signature, "(")
	return named(name, signature, doc, bind, examples...)
}

// named is def for operators, whose signature does not begin with their name.
func named(name, signature, doc string, bind binder, examples ...string) *Func {
	f := &Func{Name: name, Signatures: strings.Split(signature, " | "), Doc: doc, Deterministic: true, Bind: bind}
	for i := 0; i+1 < len(examples); i += 2 {
		f.Examples = append(f.Examples, Example{SQL: examples[i], Result: examples[i+1]})
	}
	return f
}

func (f *Func) alias(names ...string) *Func { f.Aliases = names; return f }

// reading says as what text literals are read: numbers (Float64) or instants (Timestamp).
func (f *Func) reading(k types.Kind) *Func { f.TextLiterals = k; return f }

// readingFrom is reading for the arguments from index i on.
func (f *Func) readingFrom(k types.Kind, i int) *Func { f.TextLiterals, f.TextFrom = k, i; return f }

// wide says that a function of a narrow family takes DECIMALs of any width.
func (f *Func) wide() *Func { f.takesWide = true; return f }

func (f *Func) volatile() *Func { f.Deterministic = false; return f }
func (f *Func) stable() *Func   { f.Deterministic, f.Stable = false, true; return f }

// family stamps a family's name on its records.
func family(name string, funcs ...*Func) []*Func {
	for _, f := range funcs {
		f.Family = name
	}
	return funcs
}

// fixed binds a strict function of exactly these argument types.
func fixed(ret types.Type, kernel Kernel, want ...types.Type) binder {
	return optional(ret, kernel, len(want), want...)
}

// optional binds a strict function whose arguments from index least on may be missing.
func optional(ret types.Type, kernel Kernel, least int, want ...types.Type) binder {
	return func(args []Arg) (Bound, error) {
		argTypes, err := match(args, least, want)
		return Bound{Ret: ret, ArgTypes: argTypes, Strict: true, Kernel: kernel}, err
	}
}

// variadic binds a strict function of at least `least` arguments of one type.
func variadic(ret types.Type, kernel Kernel, least int, want types.Type) binder {
	return func(args []Arg) (Bound, error) {
		all := make([]types.Type, max(len(args), least))
		for i := range all {
			all[i] = want
		}
		argTypes, err := match(args, least, all)
		return Bound{Ret: ret, ArgTypes: argTypes, Strict: true, Kernel: kernel}, err
	}
}

// nullable makes a binder's function see NULLs itself.
func nullable(b binder) binder {
	return func(args []Arg) (Bound, error) {
		bound, err := b(args)
		bound.Strict = false
		return bound, err
	}
}

// match checks count and types of arguments against what is wanted and returns the types to cast to.
func match(args []Arg, least int, want []types.Type) ([]types.Type, error) {
	if len(args) < least || len(args) > len(want) {
		return nil, arityError(least, len(want), len(args))
	}
	out := make([]types.Type, len(args))
	for i, a := range args {
		if !accepts(want[i], a.Type) {
			return nil, fmt.Errorf("argument %d must be %s, not %s", i+1, describeWanted(want[i]), a.Type)
		}
		out[i] = want[i]
	}
	return out, nil
}

func arityError(least, most, got int) error {
	switch {
	case least == most && least == 1:
		return countError("1 argument", got)
	case least == most:
		return countError(fmt.Sprintf("%d arguments", least), got)
	}
	return countError(fmt.Sprintf("%d to %d arguments", least, most), got)
}

// accepts tells whether an argument of type have may be given where want stands; the caller inserts the cast. Numbers are not read
// from text columns: guessing there hides broken data.
func accepts(want, have types.Type) bool {
	switch {
	case have.Kind == types.Null || have.Equal(want):
		return true
	case want.Kind.IsNumeric() || want.Kind == types.Bool:
		return isNumber(have)
	case want.Kind == types.String:
		return true
	case want.Kind == types.Bytes:
		return have.Class() == types.ClassBytes || isNumber(have)
	case want.Kind == types.JSON:
		return have.Kind == types.String || have.Kind == types.JSON
	case want.Kind == types.Time:
		return have.Kind == types.Time || have.Kind == types.String
	case want.Kind.IsTemporal():
		return have.Kind.IsTemporal() && have.Kind != types.Time || have.Kind == types.String
	}
	return have.Kind == want.Kind
}

func describeWanted(t types.Type) string {
	switch {
	case t.Kind.IsNumeric() || t.Kind == types.Bool:
		return "a number"
	case t.Kind.IsTemporal():
		return "a date or time"
	case t.Kind == types.JSON:
		return "JSON"
	}
	return "a " + t.String()
}

// isNumber tells whether values can be counted with: ENUM and SET stand for their places and bits.
func isNumber(t types.Type) bool {
	return t.Kind == types.Bool || t.Kind.IsNumeric() || t.Kind == types.Year || t.Kind.IsListed()
}

// constText returns the text of a constant argument.
func constText(a Arg) (string, bool) {
	if a.Const == nil || a.Const.IsNull(0) || a.Const.Type.Class() != types.ClassBytes {
		return "", false
	}
	return string(a.Const.Bytes(0)), true
}

// constInt returns the value of a constant integer argument.
func constInt(a Arg) (int64, bool) {
	if a.Const == nil || a.Const.IsNull(0) || a.Const.Type.Class() != types.ClassI64 {
		return 0, false
	}
	return a.Const.I64[0], true
}

// mapText makes a kernel that appends one text per row.
func mapText(f func(dst, s []byte) []byte) Kernel {
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			out.Data = f(out.Data, args[0].Bytes(i))
			out.EndBytes()
		}
	}
}

// rowText makes a kernel that appends one text per row from any arguments; ok false makes the row NULL.
func rowText(f func(dst []byte, args []*vector.Vector, i int) (text []byte, ok bool)) Kernel {
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			text, ok := f(out.Data, args, i)
			out.Data = text
			out.EndBytes()
			if !ok {
				out.SetNull(i)
			}
		}
	}
}

// rowInt makes a kernel that computes one integer per row; ok false makes the row NULL.
func rowInt(f func(args []*vector.Vector, i int) (x int64, ok bool)) Kernel {
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			x, ok := f(args, i)
			out.I64[i] = x
			if !ok {
				out.SetNull(i)
			}
		}
	}
}

// rowFloat is rowInt for doubles; a result that is no finite number is NULL too.
func rowFloat(f func(args []*vector.Vector, i int) float64) Kernel {
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			x := f(args, i)
			out.F64[i] = x
			if x-x != 0 { // infinite or NaN
				out.F64[i] = 0
				out.SetNull(i)
			}
		}
	}
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
