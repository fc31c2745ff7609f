package format

import (
	"strings"

	"github.com/millrace/millrace/sql/parser"
)

// phrases are the words that are keywords only together. A word that is a keyword only in front of a bracket has one behind it.
var phrases = func() [][]string {
	var out [][]string
	for _, line := range strings.Split(`CREATE SOURCE|CREATE SINK|CREATE VIEW|CREATE MATERIALIZED VIEW|CREATE FUNCTION|CREATE JOB|CREATE SAVEPOINT|CREATE TEMPORARY
OR REPLACE SOURCE|OR REPLACE VIEW|OR REPLACE MATERIALIZED VIEW|OR REPLACE FUNCTION|DROP SOURCE|DROP SINK|DROP VIEW|DROP MATERIALIZED VIEW|DROP FUNCTION|DROP JOB
DROP SAVEPOINT|ALTER SOURCE|ALTER SINK|ALTER VIEW|ALTER MATERIALIZED VIEW|ALTER JOB|IF NOT EXISTS|FOR JOB|WITH SAVEPOINT|FROM SAVEPOINT|STOP JOB|PAUSE JOB|RESUME JOB
EMIT CHANGES|EMIT FINAL|EMIT ON WINDOW CLOSE|FILTER (|WITHIN GROUP|FOR SYSTEM_TIME AS OF|AT TIME ZONE|TIME ZONE|IGNORE NULLS|RESPECT NULLS|NULLS FIRST|NULLS LAST
FULL JOIN|FULL OUTER JOIN|ASOF JOIN|ASOF LEFT JOIN|MATCH_CONDITION (|WATERMARK FOR|METADATA FROM|NOT ENFORCED|WITH ORDINALITY|BEGIN STATEMENT SET|EXECUTE STATEMENT SET
GROUPING SETS|ROLLUP (|CUBE (|WITH ROLLUP|MATCH_RECOGNIZE (|PER MATCH|AFTER MATCH SKIP|PAST LAST ROW|TO NEXT ROW|TO LAST|TO FIRST|ONE ROW|UNBOUNDED PRECEDING
UNBOUNDED FOLLOWING|CURRENT ROW|ADD COLUMN|DROP COLUMN|RENAME TO|LANGUAGE SQL|LANGUAGE WASM|NOT DETERMINISTIC|CAST (|TRY_CAST (|DESCRIPTOR (|UNNEST (|EXPLAIN ANALYZE
EXPLAIN LIVE|STATEMENT SET BEGIN`, "\n") {
		for _, p := range strings.Split(line, "|") {
			out = append(out, strings.Fields(p))
		}
	}
	return out
}()

// heads begin statements though they are names elsewhere.
var heads = wordSet("BEGIN END EXECUTE PREPARE DEALLOCATE PAUSE RESUME STOP RESET DO START COMMIT ROLLBACK")

// anywhere are keywords that no one uses as names, though one might.
var anywhere = wordSet("QUALIFY OFFSET RETURNS PRECEDING FOLLOWING")

var units = wordSet("MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR MICROSECONDS MILLISECONDS SECONDS MINUTES HOURS DAYS WEEKS MONTHS QUARTERS YEARS")

// literals are the words in front of a string that is a date or a time.
var literals = wordSet("DATE TIME TIMESTAMP")

// types are the names of types that are not reserved.
var types = wordSet("BOOL BOOLEAN DATE TIME DATETIME TIMESTAMP TIMESTAMP_LTZ TEXT STRING BYTES JSON STRUCT MAP ENUM YEAR POINT VECTOR")

// typeNames writes the names of types in upper case where they can be nothing else: behind the name of a column or field, within <>,
// behind :: and at the end of CAST.
func typeNames(toks []*token) {
	create := len(toks) > 1 && toks[0].is("CREATE", "ALTER")
	angle := 0
	for i, t := range toks {
		switch {
		case t.op("<") && i > 0 && angles[toks[i-1].up]:
			angle++
			if toks[i-1].isWord() {
				toks[i-1].text = toks[i-1].up
			}
		case angle > 0 && (t.op(">") || t.op(">>")):
			angle -= len(t.text)
		}
		if !t.isWord() || !types[t.up] || i == 0 {
			continue
		}
		prev, next := toks[i-1], &token{}
		if i+1 < len(toks) {
			next = toks[i+1]
		}
		named := i > 1 && (prev.kind == parser.TokenName || prev.kind == parser.TokenVariable) && (toks[i-2].op("(") || toks[i-2].op(","))
		switch {
		case prev.op("::"), create && named:
		case angle > 0 && (prev.kind == parser.TokenName || prev.op(":") || !next.isWord()):
		case prev.is("AS") && (next.op(")") || next.op("(") || next.op("<")) && inCast(toks, i):
		default:
			continue
		}
		t.text, t.kind = t.up, parser.TokenKeyword
	}
}

// inCast tells whether the bracket around token i is that of CAST.
func inCast(toks []*token, i int) bool {
	depth := 0
	for i--; i > 0; i-- {
		switch {
		case toks[i].op(")"):
			depth++
		case toks[i].op("("):
			if depth--; depth < 0 {
				return toks[i-1].is("CAST", "TRY_CAST")
			}
		}
	}
	return false
}

// matchKeywords writes the clause words of MATCH_RECOGNIZE in upper case.
func matchKeywords(seq []element) {
	for i := range seq {
		if i > 0 && seq[i-1].tok.is("MATCH_RECOGNIZE") {
			for k := range seq[i].inner {
				for _, s := range starters {
					if startsClause(seq[i].inner, k, false) && begins(seq[i].inner[k:], s) {
						t := seq[i].inner[k].tok
						t.text, t.kind = t.up, parser.TokenKeyword
					}
				}
			}
		}
		matchKeywords(seq[i].inner)
	}
}

func wordSet(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// keywords writes the keywords of a statement in upper case: reserved words, and others where they can be nothing else. A word behind
// a dot or AS is a name.
func keywords(toks []*token) {
	mark := map[int]bool{}
	for i := range toks {
		for _, p := range phrases {
			if n, ok := matches(toks[i:], p); ok {
				for k := range n {
					mark[i+k] = true
				}
			}
		}
	}
	interval, cases := false, 0
	for i, t := range toks {
		if !t.isWord() {
			continue
		}
		behindDot := i > 0 && toks[i-1].op(".")
		option := i > 0 && i+1 < len(toks) && toks[i+1].op("=") && (toks[i-1].op("(") || toks[i-1].op(",") || toks[i-1].is("SET"))
		next := i+1 < len(toks) && toks[i+1].op(".")
		switch {
		case behindDot || next || option:
			continue
		case parser.Reserved(t.up), mark[i], i == 0 && heads[t.up] && !next, anywhere[t.up] && !next && i > 0 && !toks[i-1].op(",") && !toks[i-1].is("AS", "SELECT"):
		case t.up == "END" && cases > 0:
			cases--
		case literals[t.up] && i+1 < len(toks) && toks[i+1].kind == parser.TokenString:
		case units[t.up] && interval && toks[i-1].kind != parser.TokenOperator:
		default:
			continue
		}
		interval = t.is("INTERVAL") || interval && !units[t.up]
		if t.up == "CASE" {
			cases++
		}
		t.text, t.kind = t.up, parser.TokenKeyword
	}
}

// matches tells whether the tokens begin with a phrase and how many words of it they are.
func matches(toks []*token, phrase []string) (int, bool) {
	n := 0
	for i, w := range phrase {
		if i >= len(toks) || w == "(" && !toks[i].op("(") || w != "(" && !toks[i].is(w) {
			return 0, false
		}
		if w != "(" {
			n++
		}
	}
	return n, true
}
