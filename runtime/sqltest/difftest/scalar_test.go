package difftest

import (
	"encoding/json"
	"flag"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

var (
	seed        = flag.Uint64("seed", 62, "seed of the generator; 0: another one each run")
	expressions = flag.Int("expressions", 20000, "how many expressions to compare")
	queryCount  = flag.Int("queries", 2000, "how many queries to compare")
	shown       = flag.Int("shown", 40, "how many differences to show")
)

// Limits.
const (
	batchSize   = 2000 // statements per client process
	maxDepth    = 3
	maxUnbound  = 0.05 // the part of expressions that binding may refuse
	relativeEps = 1e-9
)

// random gives the run's source of randomness and prints its seed.
func random(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", s)
	return rand.New(rand.NewPCG(s, 1))
}

// comparison is the value of an expression in one row, from both sides.
type comparison struct {
	sql    string
	typ    types.Type
	row    int
	ours   answer
	theirs string // failed: an error
}

// TestExpressions compares random expressions over the rows of the table.
func TestExpressions(t *testing.T) {
	c := connect(t)
	g := &generator{random(t), leaves, rules}
	tab := newTable(t)
	c.run(t, tab.statements())
	s := newSummary(t)
	for s.expressions < *expressions {
		var batch []pair
		for len(batch) < batchSize {
			batch = append(batch, g.expression(g.pick(roots), g.r.IntN(maxDepth+1)))
		}
		compareExpressions(t, c, tab, batch, s)
	}
	s.report()
}

// compareExpressions puts both answers of each expression side by side.
func compareExpressions(t *testing.T, c *client, tab *table, batch []pair, s *summary) {
	type bound struct {
		sql     pair
		typ     types.Type
		answers []answer
	}
	var all []bound
	var statements []string
	for _, e := range batch {
		s.expressions++
		typ, answers, err := tab.eval(e.ours)
		if err != nil {
			s.refuse(e.ours, err)
			continue
		}
		all = append(all, bound{e, typ, answers})
		statements = append(statements, "SELECT "+e.theirs+" FROM t ORDER BY id")
	}
	rows := c.run(t, statements)
	var again []string
	for i, b := range all { // one row that MariaDB fails at hides the others
		if len(rows[i]) > 0 && rows[i][0] == failed {
			for k := range b.answers {
				again = append(again, "SELECT "+b.sql.theirs+" FROM t WHERE id = "+strconv.Itoa(k+1))
			}
		}
	}
	single := c.run(t, again)
	for i, b := range all {
		theirs := rows[i]
		if len(theirs) > 0 && theirs[0] == failed {
			theirs = nil
			for range b.answers {
				theirs = append(theirs, strings.Join(single[0], "\n"))
				single = single[1:]
			}
		}
		if len(theirs) != len(b.answers) {
			t.Fatalf("%s: MariaDB gives %d rows", b.sql.theirs, len(theirs))
		}
		for k, a := range b.answers {
			s.compare(comparison{b.sql.ours, b.typ, k, a, unescape(theirs[k])})
		}
	}
}

// equal tells whether both answers are the same value.
func (c *comparison) equal() bool {
	if c.ours.err != nil || strings.HasPrefix(c.theirs, failed) {
		return c.ours.err != nil && strings.HasPrefix(c.theirs, failed)
	}
	if c.ours.null {
		return c.theirs == "NULL"
	}
	return equalText(c.typ, c.ours.text, c.theirs)
}

// equalText compares values that are not NULL by their type.
func equalText(typ types.Type, a, b string) bool {
	if a == b {
		return true
	}
	switch {
	case typ.Kind.IsFloat():
		x, err1 := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		return err1 == nil && err2 == nil && math.Abs(x-y) <= relativeEps*max(math.Abs(x), math.Abs(y), relativeEps)
	case typ.Kind.IsNumeric() || typ.Kind == types.Bool:
		x, ok1 := new(big.Rat).SetString(a)
		y, ok2 := new(big.Rat).SetString(b)
		return ok1 && ok2 && x.Cmp(y) == 0
	case typ.Kind.IsTemporal():
		return trimFraction(a) == trimFraction(b)
	case typ.Kind == types.JSON || typ.Kind == types.String && (strings.HasPrefix(a, "[") || strings.HasPrefix(a, "{")):
		return equalJSON(a, b)
	}
	return false
}

// trimFraction cuts zeros at the end of a fraction of a second.
func trimFraction(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func equalJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && equalTree(x, y)
}

func equalTree(x, y any) bool {
	switch a := x.(type) {
	case float64:
		b, ok := y.(float64)
		return ok && math.Abs(a-b) <= relativeEps*max(math.Abs(a), math.Abs(b))
	case []any:
		b, ok := y.([]any)
		return ok && slices.EqualFunc(a, b, equalTree)
	case map[string]any:
		b, ok := y.(map[string]any)
		return ok && maps.EqualFunc(a, b, equalTree)
	}
	return x == y
}

// summary counts what came out.
type summary struct {
	t                                *testing.T
	expressions, values, same, shown int
	unbound                          int
	refused                          map[string]int
	example                          map[string]string
	accepted                         map[string]int
	different                        map[string]bool
}

func newSummary(t *testing.T) *summary {
	return &summary{t: t, refused: map[string]int{}, example: map[string]string{}, accepted: map[string]int{}, different: map[string]bool{}}
}

// refuse counts an expression that binding refuses.
func (s *summary) refuse(e string, err error) {
	s.unbound++
	d, ok := diag.As(err)
	if !ok || d.Code == diag.Internal {
		s.t.Errorf("%s\n  %v", e, err)
		return
	}
	key := d.Code.String() + " " + d.Message
	s.refused[key]++
	if old := s.example[key]; old == "" || len(e) < len(old) {
		s.example[key] = e
	}
}

// compare counts one value and shows what is different without being accepted, once per expression.
func (s *summary) compare(c comparison) {
	s.values++
	if c.equal() {
		s.same++
		return
	}
	for _, a := range accepted {
		if a.holds(&c) {
			s.accepted[a.name]++
			return
		}
	}
	if s.different[c.sql] {
		return
	}
	s.different[c.sql] = true
	ours := c.ours.text
	if c.ours.err != nil {
		ours = "error " + c.ours.err.Code.String() + " " + c.ours.err.Message
	}
	if s.shown++; s.shown <= *shown {
		s.t.Errorf("%s (row %d, %s)\n  ours   %q\n  theirs %q", c.sql, c.row+1, c.typ, ours, c.theirs)
	}
}

func (s *summary) report() {
	t := s.t
	t.Logf("%d expressions, %d values: %d equal; %d expressions refused, %d different", s.expressions, s.values, s.same, s.unbound, len(s.different))
	for _, a := range accepted {
		t.Logf("accepted %6d  %s: %s", s.accepted[a.name], a.name, a.reason)
	}
	keys := []string{}
	for k := range s.refused {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return s.refused[b] - s.refused[a] })
	for _, k := range keys[:min(len(keys), 25)] {
		t.Logf("refused %5d  %s  e.g. %s", s.refused[k], k, s.example[k])
	}
	if float64(s.unbound) > maxUnbound*float64(s.expressions) {
		t.Errorf("binding refuses %d of %d expressions", s.unbound, s.expressions)
	}
	if len(s.different) > 0 {
		t.Errorf("%d expressions differ", len(s.different))
	}
}
