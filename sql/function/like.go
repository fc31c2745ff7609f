package function

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

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
