package function

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// regexpDoc is said of every function with a pattern.
const regexpDoc = " Patterns have RE2's syntax: no lookaround, no backreferences, linear time."

// matchDoc explains the argument match_type.
const matchDoc = " match_type holds letters: i ignores case, c does not, m lets ^ and $ match at lines, n lets . match line ends."

// regexpFuncs is the table of regular expression functions, with the arguments of MySQL (manual, section 14.8.2).
func regexpFuncs() []*Func {
	text := func(n int) []types.Type { return []types.Type{tText, tText, tText}[:n] }
	return []*Func{
		def("regexp_like(s, pattern) | regexp_like(s, pattern, match_type) | s REGEXP pattern", "Whether the pattern matches somewhere in s."+matchDoc+regexpDoc, bindRegexp(regexpSpec{ret: tBool, kernel: kernelRegexpLike, least: 2, want: text(3), matchType: 2}),
			"regexp_like('stream', 'r.a')", "1", "'abc' REGEXP '^b'", "0", "'日' REGEXP '^[[:alpha:]]$'", "1", "regexp_like('ABC', 'b', 'i')", "1").alias("regexp", "rlike"),
		def("regexp_instr(s, pattern) | regexp_instr(s, pattern, pos, occurrence, return_option, match_type)", "Where an occurrence of the pattern (the first unless given) begins, or with return_option 1 where it ends, in characters from 1; 0 for none. The search begins at character pos, where ^ matches, too."+matchDoc+regexpDoc,
			bindRegexp(regexpSpec{ret: tInt, kernel: kernelRegexpInstr, least: 2, want: []types.Type{tText, tText, tInt, tInt, tInt, tText}, matchType: 5}), "regexp_instr('dog cat dog', 'dog', 2)", "9", "regexp_instr('ab1', '[0-9]', 1, 1, 1)", "4", "regexp_instr('a', 'b')", "0"),
		def("regexp_replace(s, pattern, with) | regexp_replace(s, pattern, with, pos, occurrence, match_type)", "s with every match, or one occurrence, replaced; $1 names a group, ${name} a named one, \\$ is a dollar."+matchDoc+regexpDoc,
			bindRegexp(regexpSpec{ret: tText, kernel: kernelRegexpReplace, least: 3, want: []types.Type{tText, tText, tText, tInt, tInt, tText}, matchType: 5}), "regexp_replace('a1b22', '[0-9]+', '#')", "a#b#", "regexp_replace('abc def ghi', '[a-z]+', 'X', 1, 3)", "abc def X", "regexp_replace('john doe', '(\\w+) (\\w+)', '$2 $1')", "doe john"),
		def("regexp_substr(s, pattern) | regexp_substr(s, pattern, pos, occurrence, match_type)", "An occurrence of the pattern, the first unless given; NULL when there is none."+matchDoc+regexpDoc,
			bindRegexp(regexpSpec{ret: tText, kernel: kernelRegexpSubstr, least: 2, want: []types.Type{tText, tText, tInt, tInt, tText}, matchType: 4}), "regexp_substr('id=42;', '[0-9]+')", "42", "regexp_substr('abc def ghi', '[a-z]+', 1, 3)", "ghi", "regexp_substr('a', 'b')", "NULL"),
		def("regexp_extract(s, pattern) | regexp_extract(s, pattern, group)", "A group of the first match, the whole match unless given; NULL when there is none."+regexpDoc, bindRegexp(regexpSpec{ret: tText, kernel: kernelRegexpExtract, least: 2, want: []types.Type{tText, tText, tInt}}),
			"regexp_extract('id=42', 'id=(.*)', 1)", "42", "regexp_extract('id=42', 'x')", "NULL"),
		def("regexp_extract_all(s, pattern) | regexp_extract_all(s, pattern, group)", "A group of every match, the whole match unless given, as ARRAY."+regexpDoc, bindRegexp(regexpSpec{ret: types.ArrayOf(tText), kernel: kernelRegexpExtractAll, least: 2, want: []types.Type{tText, tText, tInt}}),
			"regexp_extract_all('a=1, b=2', '(\\w)=(\\d)', 2)", `["1", "2"]`),
		def("regexp_split(s, pattern)", "The parts of s between the matches, as ARRAY."+regexpDoc, bindRegexp(regexpSpec{ret: types.ArrayOf(tText), kernel: kernelRegexpSplit, least: 2, want: text(2)}), "regexp_split('a1b22c', '[0-9]+')", `["a", "b", "c"]`).alias("regexp_split_to_array"),
		def("regexp_count(s, pattern) | regexp_count(s, pattern, pos, match_type)", "How often the pattern matches from character pos on."+matchDoc+regexpDoc, bindRegexp(regexpSpec{ret: tInt, kernel: kernelRegexpCount, least: 2, want: []types.Type{tText, tText, tInt, tText}, matchType: 3}), "regexp_count('a1b2', '[0-9]')", "2", "regexp_count('a1b2', '[0-9]', 3)", "1"),
		def("regexp_quote(s)", "s as a pattern that matches it and nothing else.", fixed(tText, mapText(quotePattern), tText), "regexp_quote('a.b')", `a\.b`),
	}
}

// quotePattern escapes what patterns give a meaning.
func quotePattern(dst, s []byte) []byte {
	for _, c := range s {
		if bytes.IndexByte([]byte(`\.+*?()|[]{}^$`), c) >= 0 {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// patternOf gives the pattern of a row.
type patternOf func(ctx *Ctx, row int) *regexp.Regexp

type regexpKernel func(get patternOf, ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector)

// regexpSpec describes a function whose argument 1 is a pattern. matchType is the index of the argument match_type, 0 for none.
type regexpSpec struct {
	ret       types.Type
	kernel    regexpKernel
	least     int
	want      []types.Type
	matchType int
}

// bindRegexp compiles a constant pattern once, at bind time, where a mistake in it is the statement's error; other patterns are
// compiled when they change from row to row.
func bindRegexp(spec regexpSpec) binder {
	return func(args []Arg) (Bound, error) {
		argTypes, err := match(args, spec.least, spec.want)
		if err != nil {
			return Bound{}, err
		}
		bound := Bound{Ret: spec.ret, ArgTypes: argTypes, Strict: true}
		flagsAt := 0
		flags, known := "", true
		if spec.matchType > 0 && len(args) > spec.matchType {
			flagsAt = spec.matchType
			flags, known = constText(args[flagsAt])
		}
		if pattern, ok := constText(args[1]); ok && known {
			re, err := compilePattern(pattern, flags)
			if err != nil {
				return Bound{}, fmt.Errorf("argument 2 is no regular expression: %w", err)
			}
			bound.Kernel = func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
				spec.kernel(func(*Ctx, int) *regexp.Regexp { return re }, ctx, a, n, out)
			}
			return bound, nil
		}
		bound.Kernel = func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			var last rowPattern
			spec.kernel(func(ctx *Ctx, row int) *regexp.Regexp {
				var flags []byte
				if flagsAt > 0 {
					flags = a[flagsAt].Bytes(row)
				}
				return last.compile(ctx, a[1].Bytes(row), flags, row)
			}, ctx, a, n, out)
		}
		return bound, nil
	}
}

// matchNothing stands in for patterns that do not compile.
var matchNothing = regexp.MustCompile(`[^\x00-\x{10FFFF}]`)

// characterClasses make the named classes know all scripts, as MySQL's do.
var characterClasses = strings.NewReplacer("[:alpha:]", `\p{L}`, "[:alnum:]", `\p{L}\p{Nd}`, "[:digit:]", `\p{Nd}`, "[:upper:]", `\p{Lu}`,
	"[:lower:]", `\p{Ll}`, "[:punct:]", `\p{P}`, "[:space:]", `\s\p{Z}`)

// compilePattern compiles a pattern with MySQL's match_type; of c and i the last counts.
func compilePattern(pattern, matchType string) (*regexp.Regexp, error) {
	fold, flags := false, ""
	for _, c := range matchType {
		switch c {
		case 'i':
			fold = true
		case 'c':
			fold = false
		case 'm':
			flags += "m"
		case 'n':
			flags += "s"
		case 'u': // only \n ends a line: so it is here
		default:
			return nil, fmt.Errorf("match_type %q has other letters than c, i, m, n and u", matchType)
		}
	}
	if fold {
		flags += "i"
	}
	if pattern = characterClasses.Replace(pattern); flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	return regexp.Compile(pattern)
}

// rowPattern is the pattern of the last row.
type rowPattern struct {
	text, flags []byte
	re          *regexp.Regexp
}

func (p *rowPattern) compile(ctx *Ctx, text, flags []byte, row int) *regexp.Regexp {
	if p.re != nil && bytes.Equal(text, p.text) && bytes.Equal(flags, p.flags) {
		return p.re
	}
	re, err := compilePattern(string(text), string(flags))
	if err != nil {
		ctx.Fail(row, diag.New(diag.InvalidArgument, -1, "'%s' is no regular expression", clip(text)))
		return matchNothing
	}
	p.text, p.flags, p.re = append(p.text[:0], text...), append(p.flags[:0], flags...), re
	return re
}

// intAt gives an optional integer argument.
func intAt(a []*vector.Vector, k, i int, otherwise int64) int64 {
	if k >= len(a) {
		return otherwise
	}
	return a[k].I64[i]
}

// occurrence finds the n-th match (from 1) in s from byte from on; nil when there is none.
func occurrence(re *regexp.Regexp, s []byte, from int, n int64) []int {
	for ; from <= len(s); n-- {
		m := re.FindSubmatchIndex(s[from:])
		if m == nil {
			return nil
		}
		if n <= 1 {
			for k := range m {
				if m[k] >= 0 {
					m[k] += from
				}
			}
			return m
		}
		from = nextSearch(s, from, m)
	}
	return nil
}

// nextSearch is where the search goes on behind a match, which may be empty.
func nextSearch(s []byte, from int, m []int) int {
	if m[1] > m[0] {
		return from + m[1]
	}
	_, size := utf8.DecodeRune(s[from+m[1]:])
	return from + m[1] + max(size, 1)
}

// searchStart turns a character position into bytes; ok is false outside of s.
func searchStart(s []byte, pos int64) (from int, ok bool) {
	if pos < 1 || pos > int64(utf8.RuneCount(s))+1 {
		return 0, false
	}
	return charOffset(s, pos-1), true
}

func kernelRegexpLike(get patternOf, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = boolInt(get(ctx, i).Match(a[0].Bytes(i)))
	}
}

func kernelRegexpReplace(get patternOf, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		re, s, with := get(ctx, i), a[0].Bytes(i), a[2].Bytes(i)
		from, ok := searchStart(s, intAt(a, 3, i, 1))
		if !ok {
			from = len(s) + 1
		}
		wanted, done := intAt(a, 4, i, 0), 0
		for seen := int64(1); from <= len(s); seen++ {
			m := re.FindSubmatchIndex(s[from:])
			if m == nil {
				break
			}
			if wanted <= 0 || seen == wanted {
				out.Data = append(out.Data, s[done:from+m[0]]...)
				out.Data = expandGroups(out.Data, re, with, s[from:], m)
				done = from + m[1]
				if seen == wanted {
					break
				}
			}
			from = nextSearch(s, from, m)
		}
		out.Data = append(out.Data, s[done:]...)
		out.EndBytes()
	}
}

// expandGroups appends a replacement: $n takes as many digits as name a group, a backslash takes the next character as it is.
func expandGroups(dst []byte, re *regexp.Regexp, with, s []byte, m []int) []byte {
	for k := 0; k < len(with); k++ {
		c := with[k]
		if k+1 == len(with) || c != '\\' && c != '$' {
			dst = append(dst, c)
			continue
		}
		group := -1
		switch next := with[k+1]; {
		case c == '\\':
			k++
			dst = append(dst, next)
			continue
		case next-'0' <= 9:
			group = int(next - '0')
			for k++; k+1 < len(with) && with[k+1]-'0' <= 9 && group*10+int(with[k+1]-'0') < len(m)/2; k++ {
				group = group*10 + int(with[k+1]-'0')
			}
		case next == '{':
			end := bytes.IndexByte(with[k:], '}')
			if end < 0 {
				dst = append(dst, c)
				continue
			}
			group = re.SubexpIndex(string(with[k+2 : k+end]))
			k += end
		default:
			dst = append(dst, c)
			continue
		}
		if group >= 0 && 2*group < len(m) && m[2*group] >= 0 {
			dst = append(dst, s[m[2*group]:m[2*group+1]]...)
		}
	}
	return dst
}

func kernelRegexpSubstr(get patternOf, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		s := a[0].Bytes(i)
		if from, ok := searchStart(s, intAt(a, 2, i, 1)); ok {
			if m := occurrence(get(ctx, i), s, from, intAt(a, 3, i, 1)); m != nil {
				out.AppendBytes(s[m[0]:m[1]])
				continue
			}
		}
		out.AppendNull()
	}
}

func kernelRegexpExtract(get patternOf, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		group := intAt(a, 2, i, 0)
		m := get(ctx, i).FindSubmatchIndex(a[0].Bytes(i))
		if group < 0 || group >= int64(len(m)/2) || m[2*group] < 0 {
			out.AppendNull()
			continue
		}
		out.AppendBytes(a[0].Bytes(i)[m[2*group]:m[2*group+1]])
	}
}

func kernelRegexpExtractAll(get patternOf, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		group, s := intAt(a, 2, i, 0), a[0].Bytes(i)
		for _, m := range get(ctx, i).FindAllSubmatchIndex(s, -1) {
			if group < 0 || group >= int64(len(m)/2) || m[2*group] < 0 {
				out.Child[0].AppendNull()
				continue
			}
			out.Child[0].AppendBytes(s[m[2*group]:m[2*group+1]])
		}
		out.EndList()
	}
}

func kernelRegexpSplit(get patternOf, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		s, done := a[0].Bytes(i), 0
		for _, m := range get(ctx, i).FindAllIndex(s, -1) {
			if m[1] > m[0] {
				out.Child[0].AppendBytes(s[done:m[0]])
				done = m[1]
			}
		}
		out.Child[0].AppendBytes(s[done:])
		out.EndList()
	}
}

func kernelRegexpCount(get patternOf, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = 0
		if from, ok := searchStart(a[0].Bytes(i), intAt(a, 2, i, 1)); ok {
			out.I64[i] = int64(len(get(ctx, i).FindAllIndex(a[0].Bytes(i)[from:], -1)))
		}
	}
}

func kernelRegexpInstr(get patternOf, ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = 0
		s := a[0].Bytes(i)
		from, ok := searchStart(s, intAt(a, 2, i, 1))
		if !ok {
			continue
		}
		if m := occurrence(get(ctx, i), s, from, intAt(a, 3, i, 1)); m != nil {
			end := m[0]
			if intAt(a, 4, i, 0) == 1 {
				end = m[1]
			}
			out.I64[i] = int64(utf8.RuneCount(s[:end])) + 1
		}
	}
}
