package function

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// regexpFuncs is the table of regular expression functions. The syntax is RE2's: linear time whatever the pattern.
func regexpFuncs() []*Func {
	return []*Func{
		def("regexp_like(s, pattern) | s REGEXP pattern", "Whether the pattern matches somewhere in s. Patterns have RE2 syntax; prefix (?i) to ignore case.", bindRegexp(tBool, kernelRegexpLike, 2, 2),
			"regexp_like('stream', 'r.a')", "1", "'abc' REGEXP '^b'", "0", "'日' REGEXP '^[[:alpha:]]$'", "1").alias("regexp", "rlike"),
		def("regexp_replace(s, pattern, with)", "s with every match replaced; $1 names a group.", bindRegexp(tText, kernelRegexpReplace, 3, 3), "regexp_replace('a1b22', '[0-9]+', '#')", "a#b#"),
		def("regexp_substr(s, pattern) | regexp_substr(s, pattern, group)", "The first match, or its group; NULL when there is none.", bindRegexp(tText, kernelRegexpSubstr, 2, 3),
			"regexp_substr('id=42;', '[0-9]+')", "42", "regexp_substr('id=42', 'id=(.*)', 1)", "42").alias("regexp_extract"),
		def("regexp_count(s, pattern)", "How often the pattern matches.", bindRegexp(tInt, kernelRegexpCount, 2, 2), "regexp_count('a1b2', '[0-9]')", "2"),
		def("regexp_instr(s, pattern)", "Where the first match begins, in characters from 1; 0 for none.", bindRegexp(tInt, kernelRegexpInstr, 2, 2), "regexp_instr('ab1', '[0-9]')", "3"),
	}
}

type regexpKernel func(get func(ctx *Ctx, row int) *regexp.Regexp, ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector)

// bindRegexp compiles a constant pattern once, at bind time, where a mistake in it is the statement's error; other patterns are
// compiled when they change from row to row.
func bindRegexp(ret types.Type, kernel regexpKernel, least, most int) binder {
	return func(args []Arg) (Bound, error) {
		want := []types.Type{tText, tText, tText}
		if ret.Kind == types.String && least == 2 {
			want[2] = tInt
		}
		argTypes, err := match(args, least, want[:most])
		if err != nil {
			return Bound{}, err
		}
		if pattern, ok := constText(args[1]); ok {
			re, err := compilePattern(pattern)
			if err != nil {
				return Bound{}, fmt.Errorf("argument 2 is no regular expression: %w", err)
			}
			return Bound{Ret: ret, ArgTypes: argTypes, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
				kernel(func(*Ctx, int) *regexp.Regexp { return re }, ctx, a, n, out)
			}}, nil
		}
		return Bound{Ret: ret, ArgTypes: argTypes, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			var last *regexp.Regexp
			kernel(func(ctx *Ctx, row int) *regexp.Regexp {
				last = compileRow(ctx, a[1], row, last)
				return last
			}, ctx, a, n, out)
		}}, nil
	}
}

// matchNothing stands in for patterns that do not compile.
var matchNothing = regexp.MustCompile(`[^\x00-\x{10FFFF}]`)

// characterClasses make the named classes know all scripts, as MySQL's do.
var characterClasses = strings.NewReplacer("[:alpha:]", `\p{L}`, "[:alnum:]", `\p{L}\p{Nd}`, "[:digit:]", `\p{Nd}`, "[:upper:]", `\p{Lu}`,
	"[:lower:]", `\p{Ll}`, "[:punct:]", `\p{P}`, "[:space:]", `\s\p{Z}`)

func compilePattern(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(characterClasses.Replace(pattern))
}

func compileRow(ctx *Ctx, patterns *vector.Vector, row int, last *regexp.Regexp) *regexp.Regexp {
	pattern := patterns.Bytes(row)
	if last != nil && last.String() == string(pattern) {
		return last
	}
	re, err := compilePattern(string(pattern))
	if err != nil {
		ctx.Fail(row, diag.New(diag.InvalidArgument, -1, "'%s' is no regular expression", clip(pattern)))
		return matchNothing
	}
	return re
}

func kernelRegexpLike(get func(*Ctx, int) *regexp.Regexp, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = boolInt(get(ctx, i).Match(a[0].Bytes(i)))
	}
}

func kernelRegexpReplace(get func(*Ctx, int) *regexp.Regexp, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		out.AppendBytes(get(ctx, i).ReplaceAll(a[0].Bytes(i), a[2].Bytes(i)))
	}
}

func kernelRegexpSubstr(get func(*Ctx, int) *regexp.Regexp, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		group := int64(0)
		if len(a) == 3 {
			group = a[2].I64[i]
		}
		m := get(ctx, i).FindSubmatchIndex(a[0].Bytes(i))
		if group < 0 || group >= int64(len(m)/2) || m[2*group] < 0 {
			out.AppendNull()
			continue
		}
		out.AppendBytes(a[0].Bytes(i)[m[2*group]:m[2*group+1]])
	}
}

func kernelRegexpCount(get func(*Ctx, int) *regexp.Regexp, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = int64(len(get(ctx, i).FindAllIndex(a[0].Bytes(i), -1)))
	}
}

func kernelRegexpInstr(get func(*Ctx, int) *regexp.Regexp, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = 0
		if m := get(ctx, i).FindIndex(a[0].Bytes(i)); m != nil {
			out.I64[i] = int64(utf8.RuneCount(a[0].Bytes(i)[:m[0]])) + 1
		}
	}
}

// bindLike binds LIKE and ILIKE. Constant patterns without _ that are `abc`, `abc%`, `%abc` or `%abc%` become plain comparisons.
func bindLike(fold bool) binder {
	return func(args []Arg) (Bound, error) {
		argTypes, err := match(args, 2, []types.Type{tText, tText, tText})
		if err != nil {
			return Bound{}, err
		}
		escape := byte('\\')
		if len(args) == 3 {
			e, ok := constText(args[2])
			if !ok || len(e) > 1 {
				return Bound{}, fmt.Errorf("ESCAPE must be one constant character")
			}
			if e == "" {
				escape = 0
			} else {
				escape = e[0]
			}
		}
		pattern, ok := constText(args[1])
		if ok && !fold {
			if k := simpleLike(pattern, escape); k != nil {
				return Bound{Ret: tBool, ArgTypes: argTypes, Strict: true, Kernel: k}, nil
			}
		}
		kernel := rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return boolInt(likeMatch(a[0].Bytes(i), a[1].Bytes(i), escape, fold)), true
		})
		return Bound{Ret: tBool, ArgTypes: argTypes, Strict: true, Kernel: kernel}, nil
	}
}

func simpleLike(pattern string, escape byte) Kernel {
	body := []byte(pattern)
	open := len(body) > 0 && body[0] == '%'
	if open {
		body = body[1:]
	}
	closed := len(body) > 0 && body[len(body)-1] == '%'
	if closed {
		body = body[:len(body)-1]
	}
	if bytes.ContainsAny(body, "%_") || escape != 0 && bytes.IndexByte(body, escape) >= 0 {
		return nil
	}
	test := bytes.Equal
	switch {
	case open && closed:
		test = bytes.Contains
	case open:
		test = bytes.HasSuffix
	case closed:
		test = bytes.HasPrefix
	}
	return rowInt(func(a []*vector.Vector, i int) (int64, bool) { return boolInt(test(a[0].Bytes(i), body)), true })
}

// MatchName is LIKE for the names in a listing: without regard to case, backslash as escape; an empty pattern matches all.
func MatchName(pattern, name string) bool {
	return pattern == "" || likeMatch([]byte(name), []byte(pattern), '\\', true)
}

// likeMatch matches with one point of return, the last %: linear in practice, quadratic at worst.
func likeMatch(s, p []byte, escape byte, fold bool) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for i < len(s) {
		_, size := utf8.DecodeRune(s[i:])
		if j < len(p) {
			switch {
			case p[j] == '%':
				star, mark = j, i
				j++
				continue
			case p[j] == '_':
				i, j = i+size, j+1
				continue
			}
			k := j
			if escape != 0 && p[k] == escape && k+1 < len(p) {
				k++
			}
			r, width := utf8.DecodeRune(p[k:])
			c, _ := utf8.DecodeRune(s[i:])
			same := bytes.Equal(s[i:i+size], p[k:k+width])
			if same || fold && unicode.ToLower(r) == unicode.ToLower(c) {
				i, j = i+size, k+width
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, skip := utf8.DecodeRune(s[mark:])
		mark += skip
		i, j = mark, star+1
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}
