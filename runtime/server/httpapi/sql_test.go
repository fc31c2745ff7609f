package httpapi

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/millrace/millrace/runtime/engine"
)

// TestParams: values take the places of the parameters; errors are placed in the statement as it was sent.
func TestParams(t *testing.T) {
	e, err := engine.Open(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	h := New(e)
	for _, x := range []struct{ body, want string }{
		{`{"sql":"SELECT ? + 1 AS a, ? AS b, ? AS c, ? AS d","params":[41,"it's ?",null,-2.5]}`, `{"row":[42,"it's ?",null,-2.5]}`},
		{`{"sql":"SELECT x FROM (VALUES ROW(1), ROW(2)) AS t(x) WHERE x > ? LIMIT ?","params":[1,5]}`, `{"row":[2]}`},
		{`{"sql":"SELECT ? AS a, zonne","params":["a long value"]}`, `"code":"MR-2107","message":"unknown column 'zonne'","offset":15`},
		{`{"sql":"SELECT ?, ?","params":[1]}`, `"code":"MR-2153","message":"the statement has 2 parameter(s), 1 value(s) are given"`},
		{`{"sql":"SELECT ?","params":[[1]]}`, `"code":"MR-2153"`},
		{`{"sql":"SELECT ?"}`, `"code":"MR-2153"`},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/sql", strings.NewReader(x.body)))
		if got, _ := io.ReadAll(w.Result().Body); !strings.Contains(string(got), x.want) {
			t.Errorf("%s\n got %s\nwant %s", x.body, got, x.want)
		}
	}
}
