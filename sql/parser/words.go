package parser

import tidb "github.com/pingcap/tidb/pkg/parser"

// keywords are the words TiDB knows, reserved those it refuses as bare names.
var keywords, reserved = func() (map[string]bool, map[string]bool) {
	all, res := map[string]bool{}, map[string]bool{}
	for _, k := range tidb.Keywords {
		all[k.Word] = true
		if k.Reserved {
			res[k.Word] = true
		}
	}
	return all, res
}()

// Reserved tells whether an upper-case word is a keyword wherever it stands without quotes.
func Reserved(word string) bool { return reserved[word] }
