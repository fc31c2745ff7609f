package parser

import (
	"fmt"
	"math/rand"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/sql/diag"
)

// checkError checks what holds of every error: it is a diagnostic with a place inside the text, and neither the grammar's words nor
// placeholders are in it.
func checkError(t testing.TB, text string, err error) {
	t.Helper()
	d, ok := diag.As(err)
	if !ok {
		t.Fatalf("not a diagnostic: %v\n%q", err, text)
	}
	if d.Code == diag.Internal {
		t.Errorf("the parser failed: %v\n%q", d.Cause, text)
	}
	if d.Offset < 0 || d.Offset > len(text) || d.End > len(text) {
		t.Errorf("offset %d..%d outside of %q", d.Offset, d.End, text)
	}
	out := d.Message + d.Hint
	if grammarText.MatchString(out) {
		t.Errorf("the grammar's words in %q", out)
	}
	for _, r := range out {
		if r >= holeFirst && r <= holeLast && !strings.ContainsRune(text, r) {
			t.Errorf("placeholder in %q", out)
		}
	}
}

var grammarText = regexp.MustCompile(`near "|line \d+ column|yacc|TiDB`)

var spice = []string{"(", ")", "[", "]", ",", "'", "`", "\"", "::", "->", "EMIT CHANGES", "FILTER (WHERE", "OVER (", "INTERVAL", "CASE", "END", "AS", "CAST(", ";",
	"FROM", "SELECT", "=>", "FULL JOIN", "QUALIFY", "IS DISTINCT FROM", ".", "*", "1", "x", "\uE000", "é", "/*", "--", "@", "?", "GROUP BY", "TABLE", "UNNEST(", "FOR SYSTEM_TIME AS OF", "WITH", "VALUES (", "<", ">>",
	"ROLLUP(", "CUBE (", "GROUPING SETS", "WITH ROLLUP", "x -> x", "(x, y) ->", "MAP[", "STRUCT(", "ROW(1 AS x)", ".x", "WITHIN GROUP (ORDER BY", "IGNORE NULLS",
	"> ANY (", "NATURAL JOIN", "ASOF JOIN", "ASOF", "MATCH_CONDITION (", "AT TIME ZONE", "JSON_TABLE(", "COLUMNS (", "NESTED PATH", "MATCH_RECOGNIZE (", "PATTERN (",
	"DEFINE", "MEASURES", "SUBSET", "{2,3}", "{-", "-}", "PERMUTE(", "$", "^", "LANGUAGE", "RETURN", "RETURNS", "ALTER", "SET (", "SAVEPOINT", "RESCALE", "CREATE JOB j AS",
	"BEGIN STATEMENT SET;", "PREPARE", "USING", "NULLS LAST", "RETURNING INT", "EXTRACT(EPOCH FROM", "FINAL", "ENUM('a')"}

// mutate breaks a text in one to three places.
func mutate(r *rand.Rand, text string) string {
	for range 1 + r.Intn(3) {
		toks := lex(text, true).toks
		a, b := toks[r.Intn(len(toks))], toks[r.Intn(len(toks))]
		switch r.Intn(6) {
		case 0:
			text = text[:a.off] + text[a.end:]
		case 1:
			text = text[:a.off] + " " + spice[r.Intn(len(spice))] + " " + text[a.off:]
		case 2:
			text = text[:a.off] + text[b.off:b.end] + text[a.end:]
		case 3:
			text = text[:a.end] + " " + text[b.off:b.end] + text[a.end:]
		case 4:
			if n := len(text); n > 0 {
				at := r.Intn(n)
				text = text[:at] + text[at+1:]
			}
		case 5:
			text = text[:a.off] + spice[r.Intn(len(spice))] + text[a.end:]
		}
	}
	return text
}

func checkAny(t testing.TB, text string) {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		checkError(t, text, err)
		render(err, text)
	} else {
		checkTree(t, text, s)
	}
}

func TestMutations(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	texts := append(corpus(t), mysqlText...)
	for i := range 4000 {
		text := mutate(r, texts[i%len(texts)])
		checkAny(t, text)
		if i%20 == 0 {
			if _, err := ParseScript(text); err != nil {
				checkError(t, text, err)
			}
			Split(text)
			Tokens(text)
		}
		if t.Failed() {
			t.Fatalf("mutation %d: %q", i, text)
		}
	}
}

var textAttribute = regexp.MustCompile(` Text="(\\.|[^"\\])*"|@\d+`)

// TestTrivia puts comments between tokens: the tree must not change.
func TestTrivia(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	trivia := []string{" /* ' ( EMIT CHANGES [ \" */ ", " -- it's ` a ) trap\n", "\n\t", " # FROM (\n", " /**/ ", "/*+ x */"}
	for _, text := range append(corpus(t), mysqlText...) {
		s, err := Parse(text)
		if err != nil {
			continue
		}
		want := textAttribute.ReplaceAllString(dump(s), "")
		var sb strings.Builder
		last := 0
		for _, tok := range lex(text, false).toks {
			sb.WriteString(text[last:tok.off])
			if glued := tok.off == last && last > 0; !glued || r.Intn(2) == 0 && !gluedPair(text, tok) {
				sb.WriteString(trivia[r.Intn(len(trivia))])
			}
			sb.WriteString(text[tok.off:tok.end])
			last = tok.end
		}
		got, err := Parse(sb.String())
		if err != nil {
			t.Errorf("%s\nof %s", render(err, sb.String()), sb.String())
			continue
		}
		if d := textAttribute.ReplaceAllString(dump(got), ""); d != want {
			t.Errorf("%s\ngives\n%swant\n%s", sb.String(), d, want)
		}
	}
}

// gluedPair tells whether a blank before a token could change the meaning: count (*) is no call in MySQL, t . 1 is no path.
func gluedPair(text string, t token) bool {
	return t.up == "(" || t.up == "." || t.off > 0 && (text[t.off-1] == '.' || text[t.off-1] == '@')
}

func TestConcurrentParse(t *testing.T) {
	texts := append(corpus(t), mysqlText...)
	want := make([]string, len(texts))
	outcome := func(text string) string {
		s, err := Parse(text)
		if err != nil {
			return err.Error()
		}
		return dump(s)
	}
	for i, text := range texts {
		want[i] = outcome(text)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range texts {
				n := (i*7 + g*13) % len(texts)
				if got := outcome(texts[n]); got != want[n] {
					t.Errorf("%q gives another tree when parsed beside others:\n%s\nwant\n%s", texts[n], got, want[n])
				}
			}
		}()
	}
	wg.Wait()
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000)
	for name, text := range map[string]string{
		"brackets": "SELECT " + deep, "sum": "SELECT 1" + strings.Repeat("+1", 100_000), "not": "SELECT " + strings.Repeat("NOT ", 100_000) + "1",
		"minus": "SELECT " + strings.Repeat("- ", 100_000) + "1", "joins": "SELECT 1 FROM a" + strings.Repeat(" JOIN a", 10_000), "casts": "SELECT 1" + strings.Repeat("::INT", 2000),
		"case": "SELECT " + strings.Repeat("CASE WHEN a THEN ", 5000) + "1" + strings.Repeat(" END", 5000), "unions": "SELECT 1" + strings.Repeat(" UNION SELECT 1", 5000),
		"arrays": "SELECT CAST(a AS " + strings.Repeat("ARRAY<", 100_000) + "INT" + strings.Repeat(">", 100_000) + ")",
		"not2":   "SELECT " + strings.Repeat("NOT ", 1_000_000) + "1", "case2": "SELECT " + strings.Repeat("CASE ", 500_000), "join2": "SELECT 1 FROM a" + strings.Repeat(",a", 400_000),
		"cast2": "SELECT 1" + strings.Repeat("::INT", 100_000), "minus2": "SELECT " + strings.Repeat("-", 400_000), "union2": "SELECT 1" + strings.Repeat(" UNION SELECT 1", 50_000),
		"set": "SET a=1" + strings.Repeat(",a=1", 20_000), "index": "SELECT a" + strings.Repeat("[1]", 100_000), "and": "SELECT 1" + strings.Repeat(" AND 1", 200_000),
		"concat": "SELECT 1" + strings.Repeat("||1", 90_000), "on": "SELECT 1 FROM a" + strings.Repeat(" JOIN a ON 1", 100_000),
		"lambda": "SELECT " + strings.Repeat("f(x -> ", 50_000) + "1" + strings.Repeat(")", 50_000), "lambda2": "SELECT " + strings.Repeat("f(x -> ", 400) + "1" + strings.Repeat(")", 400),
		"maps": "SELECT " + strings.Repeat("MAP[1, ", 400) + "1" + strings.Repeat("]", 400), "structs": "SELECT " + strings.Repeat("STRUCT(", 450) + "1" + strings.Repeat(")", 450),
		"fields": "SELECT f(x)" + strings.Repeat(".a", 100_000), "zones": "SELECT x" + strings.Repeat(" AT TIME ZONE 'UTC'", 10_000),
		"sets":    "SELECT 1 GROUP BY " + strings.Repeat("GROUPING SETS (", 450) + "a" + strings.Repeat(")", 450),
		"pattern": "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (" + strings.Repeat("(", 450) + "A" + strings.Repeat(")*", 450) + ") DEFINE A AS 1)",
		"symbols": "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (" + strings.Repeat("A ", 100_000) + ") DEFINE A AS 1)",
		"nested":  "SELECT * FROM JSON_TABLE(a, '$' " + strings.Repeat("COLUMNS (NESTED '$' ", 450) + strings.Repeat(")", 451),
		"matches": "SELECT * FROM " + strings.Repeat("(SELECT * FROM ", 300) + "t" + strings.Repeat(" MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS 1))", 300),
		"asof":    "SELECT * FROM a" + strings.Repeat(" ASOF JOIN b MATCH_CONDITION (a.x > b.x)", 5000),
		"holes":   "SELECT 1" + strings.Repeat(", a::INT", 7000), "explain": strings.Repeat("EXPLAIN ", 100_000) + "SELECT 1",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(text); err != nil {
				d, ok := diag.As(err)
				if !ok || d.Code == diag.Internal {
					t.Fatalf("%v", err)
				}
			}
		})
	}
	if _, err := Parse("SELECT " + strings.Repeat("(", 499) + "1" + strings.Repeat(")", 499)); err != nil {
		t.Errorf("499 brackets: %v", err)
	}
	_, err := Parse("SELECT " + deep)
	if d, ok := diag.As(err); !ok || d.Code != diag.TooDeep {
		t.Errorf("deep brackets give %v", err)
	}
}

func TestManyRows(t *testing.T) {
	var sb strings.Builder
	sb.WriteString("INSERT INTO t VALUES (0, CAST(0 AS INT))")
	for i := 1; i < 10_000; i++ {
		fmt.Fprintf(&sb, ", (%d, CAST(%d AS INT))", i, i)
	}
	s, err := Parse(sb.String())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(dump(s), "Cast"); n != 10_000 {
		t.Errorf("%d casts of 10000", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range append(corpus(f), mysqlText...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 4096 {
			checkAny(t, text)
		}
	})
}
