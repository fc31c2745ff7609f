package parser

import (
	"fmt"
	"github.com/millrace/millrace/sql/diag"
	"os"
	"strings"
	"testing"
)

func TestSmoke(t *testing.T) {
	b, err := os.ReadFile("/tmp/smoke.sql")
	if err != nil {
		t.Skip()
	}
	for _, q := range strings.Split(string(b), "\n---\n") {
		fmt.Println("=====", q)
		s, err := Parse(q)
		if err != nil {
			e, _ := diag.As(err)
			fmt.Println("ERR", err, e.Offset, e.Cause)
			continue
		}
		fmt.Print(dump(s))
	}
}
