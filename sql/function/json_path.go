package function

import (
	"fmt"
	"strconv"
	"strings"
)

// jsonPath is a compiled path of MySQL's path language (manual, section 13.5). Wild: some step names several values.
type jsonPath struct {
	steps []jsonStep
	wild  bool
}

// stepKind tells what a step of a path names.
type stepKind uint8

const (
	stepKey     stepKind = iota // .name
	stepIndex                   // [n], [last-n]
	stepRange                   // [m to n]
	stepMembers                 // .*
	stepItems                   // [*]
	stepDeep                    // **: the value and all values inside it
)

type jsonStep struct {
	kind  stepKind
	key   []byte
	index jsonIndex // of stepIndex; the first of stepRange
	to    jsonIndex // the last of stepRange
}

// jsonIndex counts from the first element, or from the last one backwards.
type jsonIndex struct {
	n    int
	last bool
}

// of gives the index in an array of size elements; it may lie outside.
func (x jsonIndex) of(size int) int {
	if x.last {
		return size - 1 - x.n
	}
	return x.n
}

// parsePath reads $ and then .name, ."quoted name", .*, [3], [last-1], [1 to last], [*] and ** (not at the end).
func parsePath(text string) (jsonPath, error) {
	var p jsonPath
	bad := fmt.Errorf("%q is no JSON path such as '$.a.b[0]'", text)
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "$")
	if !ok {
		return p, bad
	}
	for rest = strings.TrimLeft(rest, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		var s jsonStep
		switch {
		case strings.HasPrefix(rest, "**"):
			s.kind, rest = stepDeep, rest[2:]
			if strings.TrimSpace(rest) == "" {
				return p, fmt.Errorf("%q ends in **: say what is wanted, such as '$**.a'", text)
			}
		case rest[0] == '.':
			s, rest, ok = parseMember(strings.TrimLeft(rest[1:], " "))
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return p, bad
			}
			s, ok = parseCell(strings.TrimSpace(rest[1:end]))
			rest = rest[end+1:]
		default:
			ok = false
		}
		if !ok {
			return p, bad
		}
		p.steps = append(p.steps, s)
		p.wild = p.wild || s.kind > stepIndex
	}
	return p, nil
}

func parseMember(s string) (step jsonStep, rest string, ok bool) {
	if strings.HasPrefix(s, "*") && !strings.HasPrefix(s, "**") {
		return jsonStep{kind: stepMembers}, s[1:], true
	}
	if strings.HasPrefix(s, `"`) {
		end := skipString([]byte(s), 0)
		if end < 0 {
			return step, s, false
		}
		return jsonStep{key: unescapeJSON([]byte{}, []byte(s[1:end-1]))}, s[end:], true
	}
	end := strings.IndexAny(s, ".[* ")
	if end < 0 {
		end = len(s)
	}
	return jsonStep{key: []byte(s[:end])}, s[end:], end > 0
}

// parseCell reads what stands in brackets.
func parseCell(s string) (step jsonStep, ok bool) {
	if s == "*" {
		return jsonStep{kind: stepItems}, true
	}
	from, to, isRange := strings.Cut(s, " to ")
	if step.index, ok = parseIndex(from); !ok {
		return step, false
	}
	step.kind = stepIndex
	if isRange {
		step.kind = stepRange
		if step.to, ok = parseIndex(to); !ok {
			return step, false
		}
		ok = step.index.last != step.to.last || step.index.last == (step.index.n >= step.to.n) || step.index.n == step.to.n
	}
	return step, ok
}

func parseIndex(s string) (x jsonIndex, ok bool) {
	s = strings.TrimSpace(s)
	if rest, isLast := strings.CutPrefix(s, "last"); isLast {
		x.last = true
		if rest = strings.TrimSpace(rest); rest == "" {
			return x, true
		}
		if s, ok = strings.CutPrefix(rest, "-"); !ok {
			return x, false
		}
		s = strings.TrimSpace(s)
	}
	n, err := strconv.ParseUint(s, 10, 31)
	x.n = int(n)
	return x, err == nil
}

// find returns the text of the value at a path without wildcards; empty when there is none or the text is broken on the way.
func (p jsonPath) find(doc []byte) []byte {
	doc = trimSpace(doc)
	for i := range p.steps {
		doc = p.steps[i].child(doc)
		if len(doc) == 0 {
			return nil
		}
	}
	return whole(doc)
}

// child returns the text that begins with the step's value; empty when there is none.
func (s *jsonStep) child(doc []byte) []byte {
	if len(doc) == 0 {
		return nil
	}
	index := 0
	if s.kind == stepIndex {
		if doc[0] != '[' { // MySQL: [0] of what is no array is the value itself
			if s.index.n == 0 {
				return doc
			}
			return nil
		}
		if index = s.index.n; s.index.last {
			if index = s.index.of(countMembers(doc)); index < 0 {
				return nil
			}
		}
	} else if doc[0] != '{' {
		return nil
	}
	i := skipBlank(doc, 1)
	for at := 0; i < len(doc) && doc[i] != '}' && doc[i] != ']'; at++ {
		hit := s.kind == stepIndex && at == index
		if s.kind == stepKey {
			end := skipString(doc, i)
			if end < 0 {
				return nil
			}
			hit = sameKey(doc[i+1:end-1], s.key)
			if i = skipBlank(doc, end); i >= len(doc) || doc[i] != ':' {
				return nil
			}
			i = skipBlank(doc, i+1)
		}
		if hit {
			return doc[i:]
		}
		if i = skipJSON(doc, i); i < 0 {
			return nil
		}
		if i = skipBlank(doc, i); i < len(doc) && doc[i] == ',' {
			i = skipBlank(doc, i+1)
		}
	}
	return nil
}

func countMembers(doc []byte) int {
	n := 0
	eachMember(doc, func(_, _ []byte) bool { n++; return true })
	return n
}

// maxJSONDepth bounds the recursion into documents, as MySQL does; deeper values are as if they were not there.
const maxJSONDepth = 100

// each calls fn for all values that a path names, until it returns false; the result tells whether it never did.
func (p jsonPath) each(doc []byte, fn func(value []byte) bool) bool {
	return eachValue(p.steps, trimSpace(doc), 0, fn)
}

func eachValue(steps []jsonStep, doc []byte, depth int, fn func(value []byte) bool) bool {
	for k := range steps {
		s := &steps[k]
		rest := steps[k+1:]
		switch s.kind {
		case stepKey, stepIndex:
			if doc = s.child(doc); len(doc) == 0 {
				return true
			}
			continue
		case stepDeep:
			return eachDeep(rest, doc, depth, fn)
		}
		if len(doc) == 0 || s.kind == stepMembers && doc[0] != '{' || s.kind == stepItems && doc[0] != '[' {
			return true
		}
		if s.kind == stepRange && doc[0] != '[' { // the value itself counts as its only element
			if s.index.of(1) > 0 || s.to.of(1) < 0 {
				return true
			}
			continue
		}
		from, to := 0, int(^uint(0)>>1)
		if s.kind == stepRange {
			size := countMembers(doc)
			from, to = s.index.of(size), s.to.of(size)
		}
		at, on := -1, true
		eachMember(doc, func(_, value []byte) bool {
			if at++; at >= from && at <= to {
				on = eachValue(rest, value, depth+1, fn)
			}
			return on
		})
		return on
	}
	end := skipJSON(doc, 0)
	return end < 0 || fn(doc[:end])
}

// eachDeep follows the rest of a path from a value and from all values inside it.
func eachDeep(rest []jsonStep, doc []byte, depth int, fn func(value []byte) bool) bool {
	if depth > maxJSONDepth {
		return true
	}
	if rest[0].kind != stepIndex || len(doc) > 0 && doc[0] == '[' { // what is no array is met inside one, too
		if !eachValue(rest, doc, depth, fn) {
			return false
		}
	}
	on := true
	eachMember(doc, func(_, value []byte) bool {
		on = eachDeep(rest, value, depth+1, fn)
		return on
	})
	return on
}

// collect appends all values a path names, separated by commas; from is where the list began.
func (p jsonPath) collect(dst, doc []byte, from int) []byte {
	p.each(doc, func(value []byte) bool {
		if len(dst) > from {
			dst = append(dst, ", "...)
		}
		dst = append(dst, value...)
		return true
	})
	return dst
}
