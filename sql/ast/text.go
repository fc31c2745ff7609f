package ast

import (
	"encoding/hex"
	"strings"
)

// AppendSQL appends the literal as SQL. Negative numbers stand in brackets: 1-? with the value -1 must not become a comment.
func (l *Literal) AppendSQL(dst []byte) []byte {
	switch l.Kind {
	case LitNull:
		return append(dst, "NULL"...)
	case LitBool:
		return append(dst, strings.ToUpper(l.Text)...)
	case LitInt, LitDecimal, LitFloat:
		if strings.HasPrefix(l.Text, "-") {
			return append(append(append(dst, '('), l.Text...), ')')
		}
		return append(dst, l.Text...)
	case LitBytes:
		return append(hex.AppendEncode(append(dst, "x'"...), []byte(l.Text)), '\'')
	case LitDate:
		dst = append(dst, "DATE "...)
	case LitTime:
		dst = append(dst, "TIME "...)
	case LitTimestamp:
		dst = append(dst, "TIMESTAMP "...)
	}
	return append(dst, QuoteText(l.Text)...)
}

var textEscapes = strings.NewReplacer("'", "''", `\`, `\\`, "\x00", `\0`)

// QuoteText writes a string literal.
func QuoteText(s string) string { return "'" + textEscapes.Replace(s) + "'" }

// QuoteName writes an identifier in backquotes.
func QuoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
