package diag

import (
	"strings"
	"unicode/utf8"
)

// Position turns a byte offset into a line and a column, both from 1; columns count characters. An offset outside is clamped.
func Position(source string, offset int) (line, col int) {
	offset = max(0, min(offset, len(source)))
	head := source[:offset]
	line = 1 + strings.Count(head, "\n")
	return line, 1 + utf8.RuneCountInString(head[strings.LastIndexByte(head, '\n')+1:])
}

// lineAt returns the line that holds the offset, without its end, and the offset within it.
func lineAt(source string, offset int) (text string, within int) {
	offset = max(0, min(offset, len(source)))
	start := strings.LastIndexByte(source[:offset], '\n') + 1
	end := strings.IndexByte(source[start:], '\n')
	if end < 0 {
		end = len(source)
	} else {
		end += start
	}
	return strings.TrimRight(source[start:end], "\r"), offset - start
}
