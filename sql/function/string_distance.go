package function

import (
	"unicode/utf8"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// maxDistanceRunes bounds the texts whose distance is computed: the work is the product of their lengths.
const maxDistanceRunes = 4096

// distanceFuncs is the part of the text table that tells how alike two texts are.
func distanceFuncs() []*Func {
	return []*Func{
		def("levenshtein(a, b)", "How many characters must be inserted, left out or replaced to make b of a. Texts of more than 4096 characters are a row error.", fixed(tInt, kernelLevenshtein(false), tText, tText), "levenshtein('kitten', 'sitting')", "3").alias("edit_distance"),
		def("damerau_levenshtein(a, b)", "levenshtein that counts two neighbours swapped as one step.", fixed(tInt, kernelLevenshtein(true), tText, tText), "damerau_levenshtein('ab', 'ba')", "1"),
		def("hamming_distance(a, b)", "In how many places texts of equal length differ; NULL for different lengths.", fixed(tInt, rowInt(hamming), tText, tText), "hamming_distance('karolin', 'kathrin')", "3", "hamming_distance('a', 'ab')", "NULL"),
		def("jaro_similarity(a, b)", "The Jaro similarity of two texts, 0 to 1.", fixed(tFloat, kernelJaro(false), tText, tText), "round(jaro_similarity('MARTHA', 'MARHTA'), 4)", "0.9444").alias("jaro"),
		def("jaro_winkler(a, b)", "The Jaro-Winkler similarity of two texts, 0 to 1: jaro_similarity with credit for a common prefix of up to 4 characters.", fixed(tFloat, kernelJaro(true), tText, tText), "round(jaro_winkler('MARTHA', 'MARHTA'), 4)", "0.9611", "round(jaro_winkler('DIXON', 'DICKSONX'), 4)", "0.8133").alias("jaro_winkler_similarity"),
	}
}

// runesOf decodes s into room, which is returned for reuse.
func runesOf(room []rune, s []byte) []rune {
	room = room[:0]
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		room = append(room, r)
		s = s[size:]
	}
	return room
}

// longTexts reports texts whose distance is not computed.
func longTexts(ctx *Ctx, row int, x, y []rune) bool {
	if len(x) <= maxDistanceRunes && len(y) <= maxDistanceRunes {
		return false
	}
	ctx.Fail(row, diag.New(diag.InvalidArgument, -1, "the distance of texts of more than %d characters is not computed", maxDistanceRunes))
	return true
}

// kernelLevenshtein counts edits with three rows of the distance matrix; scratch is made once per batch.
func kernelLevenshtein(swaps bool) Kernel {
	return func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		var x, y []rune
		var rows [3][]int64
		for i := range n {
			x, y = runesOf(x, a[0].Bytes(i)), runesOf(y, a[1].Bytes(i))
			if longTexts(ctx, i, x, y) {
				out.I64[i] = 0
				continue
			}
			for k := range rows {
				rows[k] = growTo(rows[k], len(y)+1)[:len(y)+1]
			}
			out.I64[i] = levenshtein(x, y, &rows, swaps)
		}
	}
}

func levenshtein(x, y []rune, rows *[3][]int64, swaps bool) int64 {
	before, prev, cur := rows[0], rows[1], rows[2]
	for j := range prev {
		prev[j] = int64(j)
	}
	for i := range x {
		cur[0] = int64(i + 1)
		for j := range y {
			cost := boolInt(x[i] != y[j])
			best := min(prev[j]+cost, prev[j+1]+1, cur[j]+1)
			if swaps && i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				best = min(best, before[j-1]+1)
			}
			cur[j+1] = best
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(y)]
}

func hamming(a []*vector.Vector, i int) (int64, bool) {
	x, y, d := a[0].Bytes(i), a[1].Bytes(i), int64(0)
	for len(x) > 0 && len(y) > 0 {
		r, n := utf8.DecodeRune(x)
		q, m := utf8.DecodeRune(y)
		d += boolInt(r != q)
		x, y = x[n:], y[m:]
	}
	return d, len(x) == len(y)
}

func kernelJaro(winkler bool) Kernel {
	return func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		var x, y []rune
		var used [2][]bool
		for i := range n {
			x, y = runesOf(x, a[0].Bytes(i)), runesOf(y, a[1].Bytes(i))
			if longTexts(ctx, i, x, y) {
				out.F64[i] = 0
				continue
			}
			used[0], used[1] = growTo(used[0], len(x))[:len(x)], growTo(used[1], len(y))[:len(y)]
			clear(used[0])
			clear(used[1])
			s := jaro(x, y, used)
			if winkler {
				prefix := 0
				for prefix < min(4, len(x), len(y)) && x[prefix] == y[prefix] {
					prefix++
				}
				s += float64(prefix) * 0.1 * (1 - s)
			}
			out.F64[i] = s
		}
	}
}

// jaro marks in used the characters of both texts that have a partner within half the longer length.
func jaro(x, y []rune, used [2][]bool) float64 {
	if len(x) == 0 && len(y) == 0 {
		return 1
	}
	reach := max(0, max(len(x), len(y))/2-1)
	matches := 0
	for i, r := range x {
		for j := max(0, i-reach); j < min(len(y), i+reach+1); j++ {
			if !used[1][j] && y[j] == r {
				used[0][i], used[1][j] = true, true
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	halves, j := 0, 0
	for i, r := range x {
		if !used[0][i] {
			continue
		}
		for !used[1][j] {
			j++
		}
		if y[j] != r {
			halves++
		}
		j++
	}
	m := float64(matches)
	return (m/float64(len(x)) + m/float64(len(y)) + (m-float64(halves)/2)/m) / 3
}
