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
		s, err := Parse(q)
		if err != nil {
			e, _ := diag.As(err)
			fmt.Println(diag.Render(e, q, false))
			if e.Code == diag.Internal {
				fmt.Println(e.Cause)
			}
			continue
		}
		fmt.Println("=====", q)
		fmt.Print(dump(s))
	}
}
