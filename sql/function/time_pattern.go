package function

import (
	"fmt"
	"strings"
)

// letterCodes turns the letters by which other systems write formats of time into % codes.
var letterCodes = strings.NewReplacer("yyyy", "%Y", "yy", "%y", "MMM", "%b", "MM", "%m", "dd", "%d", "HH", "%H", "hh", "%h", "mm", "%i",
	"ss", "%s", "SSSSSS", "%f", "SSS", "%f", "'", "")

// refuseLetters refuses a constant format such as 'yyyy-MM-dd', of which every row would otherwise become the text itself, or NULL.
func refuseLetters(format Arg) error {
	text, ok := constText(format)
	if !ok || strings.Contains(text, "%") {
		return nil
	}
	for _, letters := range []string{"yyyy", "MM", "HH", "dd"} {
		if strings.Contains(text, letters) {
			return fmt.Errorf("the format '%s' has no %% codes: write '%s'", text, letterCodes.Replace(text))
		}
	}
	return nil
}
