package sqltest

import (
	"fmt"
	"os"
	"strings"
)

// step is one step of a script.
type step struct {
	line int
	verb string
	args []string
	body string // SQL or records
	want []string
	// where the expected rows stand in the file, for --update: lines [wantFrom, wantTo)
	wantFrom, wantTo int
	hasWant          bool
}

// maxScriptBytes bounds a script.
const maxScriptBytes = 4 << 20

// parseScript reads a script.
func parseScript(path string) ([]step, []string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	if len(data) > maxScriptBytes {
		return nil, nil, fmt.Errorf("%s: more than %d bytes", path, maxScriptBytes)
	}
	lines := strings.Split(string(data), "\n")
	var steps []step
	for i := 0; i < len(lines); {
		text := strings.TrimSpace(lines[i])
		if text == "" || strings.HasPrefix(text, "#") {
			i++
			continue
		}
		words := strings.Fields(text)
		s := step{line: i + 1, verb: words[0], args: words[1:]}
		i++
		var body []string
		for ; i < len(lines) && strings.TrimSpace(lines[i]) != "" && lines[i] != "----"; i++ {
			body = append(body, lines[i])
		}
		s.body = strings.Join(body, "\n")
		if i < len(lines) && lines[i] == "----" {
			i++
			s.hasWant, s.wantFrom = true, i
			for ; i < len(lines) && lines[i] != ""; i++ {
				s.want = append(s.want, lines[i])
			}
			s.wantTo = i
		}
		steps = append(steps, s)
	}
	return steps, lines, nil
}

// flag finds a word among the arguments.
func (s *step) flag(name string) bool {
	for _, a := range s.args {
		if a == name {
			return true
		}
	}
	return false
}

// value finds name=value among the arguments.
func (s *step) value(name string) string {
	for _, a := range s.args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return ""
}
