package diag

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxLine = 120 // characters of a source line that Render shows around the culprit

const (
	styleError = "\x1b[1;31m"
	styleCaret = "\x1b[1;32m"
	styleHint  = "\x1b[36m"
	styleDim   = "\x1b[2m"
	styleOff   = "\x1b[0m"
)

// Render prints an error for a terminal: code and message, place, the source line with a caret under the culprit, the hint. source
// may be empty; then the error's own is used.
//
//	ERROR MR-2107: unknown column 'zonne'
//	  1:8
//	  SELECT zonne FROM trips
//	         ^^^^^
//	  hint: did you mean zone?
func Render(err *Error, source string, color bool) string {
	var sb strings.Builder
	style := func(code, s string) {
		if color {
			sb.WriteString(code + s + styleOff)
		} else {
			sb.WriteString(s)
		}
	}
	style(styleError, "ERROR "+err.Code.String()+":")
	sb.WriteString(" " + err.Message + "\n")
	if source == "" {
		source = err.Source
	}
	if err.Offset >= 0 && source != "" {
		line, col := Position(source, err.Offset)
		style(styleDim, "  "+itoa(line)+":"+itoa(col))
		text, within := lineAt(source, err.Offset)
		length := 1
		if err.End > err.Offset {
			length = err.End - err.Offset
		}
		shown, pad, carets := caret(text, within, length)
		sb.WriteString("\n  " + shown + "\n  " + pad)
		style(styleCaret, carets)
		sb.WriteByte('\n')
	}
	if err.Hint != "" {
		sb.WriteString("  ")
		style(styleHint, "hint:")
		sb.WriteString(" " + err.Hint + "\n")
	}
	return sb.String()
}

// caret crops a line around the bytes [at, at+length) and returns it with the blanks before the carets and the carets.
func caret(line string, at, length int) (shown, pad, carets string) {
	at = min(at, len(line))
	end := min(at+length, len(line))
	if utf8.RuneCountInString(line) > maxLine {
		line, at, end = crop(line, at, end)
	}
	var sb strings.Builder
	for _, r := range line[:at] {
		if r == '\t' {
			sb.WriteByte('\t')
		} else {
			sb.WriteString(strings.Repeat(" ", runeWidth(r)))
		}
	}
	n := 0
	for _, r := range line[at:end] {
		n += runeWidth(r)
	}
	return printable(line), sb.String(), strings.Repeat("^", max(1, n))
}

// crop cuts a long line to maxLine characters, two thirds of them before the culprit.
func crop(line string, at, end int) (string, int, int) {
	const mark = ".. "
	from, to := at, at
	for n := 0; n < maxLine*2/3 && from > 0; n++ {
		_, size := utf8.DecodeLastRuneInString(line[:from])
		from -= size
	}
	for n := 0; n < maxLine/3 && to < len(line); n++ {
		_, size := utf8.DecodeRuneInString(line[to:])
		to += size
	}
	head, tail := "", ""
	if from > 0 {
		head = mark
	}
	if to < len(line) {
		tail = " .."
	}
	return head + line[from:to] + tail, at - from + len(head), min(end, to) - from + len(head)
}

// printable replaces control characters, so that a text cannot steer the terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, line)
}

// runeWidth is how many cells a character takes on a terminal.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115F, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3, r >= 0xF900 && r <= 0xFAFF,
		r >= 0xFE30 && r <= 0xFE6F, r >= 0xFF00 && r <= 0xFF60, r >= 0xFFE0 && r <= 0xFFE6, r >= 0x1F300 && r <= 0x1FAFF,
		r >= 0x20000 && r <= 0x3FFFD:
		return 2
	}
	return 1
}

func itoa(n int) string {
	if n >= 10 {
		return itoa(n/10) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

// MarshalJSON gives the error's form over HTTP. line, column, offset and end are absent when there is no position.
func (e *Error) MarshalJSON() ([]byte, error) {
	out := struct {
		Code    string `json:"code"`
		Title   string `json:"title,omitempty"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
		Line    int    `json:"line,omitempty"`
		Column  int    `json:"column,omitempty"`
		Offset  *int   `json:"offset,omitempty"`
		End     int    `json:"end,omitempty"`
	}{Code: e.Code.String(), Message: e.Message, Hint: e.Hint}
	out.Title, _ = Explain(e.Code)
	if e.Offset >= 0 {
		out.Offset, out.End = &e.Offset, e.End
		if e.Source != "" {
			out.Line, out.Column = Position(e.Source, e.Offset)
		}
	}
	return json.Marshal(out)
}
