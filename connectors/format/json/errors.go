package json

import (
	"fmt"

	"github.com/millrace/millrace/sql/diag"
)

// maxExcerpt bounds how much of a culprit a message shows.
const maxExcerpt = 48

func excerpt(b []byte) string {
	if len(b) > maxExcerpt {
		return string(b[:maxExcerpt]) + ".."
	}
	return string(b)
}

// takeError returns the error of the record that has just failed.
func (d *decoder) takeError() *diag.Error {
	if err := d.err; err != nil {
		d.err = nil
		return err
	}
	msg := fmt.Sprintf("malformed JSON at byte %d: %s", d.at, faultText[d.why])
	if d.why != faultEnd {
		msg += " near " + excerpt(d.src[d.at:])
	}
	return diag.New(diag.MalformedRecord, -1, "%s", msg)
}

// badValue notes that the value at i does not fit; a value that is malformed is noted as that.
func (d *decoder) badValue(n *node, i int, what string) int {
	end := d.skip(i)
	if end >= 0 {
		d.err = diag.New(diag.FieldType, -1, "field '%s': %s is %s", n.path, excerpt(d.src[i:end]), what)
	}
	return -1
}

func (d *decoder) wrongType(n *node, i int) int {
	j := d.badValue(n, i, "no "+n.typ.String())
	if d.err != nil && n.act == actString {
		d.err.WithHint("declare the column as STRUCT, ARRAY, MAP or JSON to read a nested value")
	}
	return j
}

func (d *decoder) missing(path string) int {
	d.err = diag.New(diag.MissingField, -1, "field '%s' is missing", path)
	return -1
}

// opPath names the field of the change kind.
func (d *decoder) opPath() string {
	for name, s := range d.root.keys.byKey {
		if s.node != nil && s.node.isOp {
			return name
		}
	}
	return "op"
}
