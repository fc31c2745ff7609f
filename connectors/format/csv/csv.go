package csv

import (
	"unicode/utf8"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

func init() {
	format.Register(&format.Spec{
		Name:    "csv",
		Doc:     "comma separated values; a header names the columns in files",
		Example: "CREATE TABLE zones (zone_id INT, name VARCHAR) WITH (connector='file', path='zones.csv', format='csv')",
		Options: options,
		Decoder: newDecoder,
		Encoder: newEncoder,
	})
}

var options = []connectors.Option{
	{Name: "delimiter", Default: ",", Doc: `the character between fields; \t is a tab`},
	{Name: "quote", Default: `"`, Doc: "the character around fields that hold delimiters or line ends; inside it is doubled"},
	{Name: "header", Type: connectors.OptBool, Default: "true",
		Doc: "files begin with a header of column names; without it columns go by position. Records outside files have no header"},
	{Name: "null_text", Doc: "what an unquoted field holds for NULL; default: nothing"},
	{Name: "op_field", Doc: "the field that holds the change kind: +I, -U, +U or -D; without header the first field"},
	{Name: "timestamp_format", Type: connectors.OptEnum, Values: []string{"iso", "sql", "epoch_ms"}, Default: "iso",
		Doc: "how instants are written; all are read"},
	{Name: "epoch_unit", Type: connectors.OptEnum, Values: []string{"s", "ms", "us"}, Default: "ms",
		Doc: "the unit of instants that are numbers in the input"},
}

// dialect is what decoder and encoder share.
type dialect struct {
	delimiter, quote byte
	header           bool
	nullText         string
}

func newDialect(opts connectors.Values) (d dialect, err error) {
	d = dialect{header: opts.Bool("header"), nullText: opts.String("null_text")}
	if d.delimiter, err = oneByte(opts, "delimiter"); err != nil {
		return d, err
	}
	if d.quote, err = oneByte(opts, "quote"); err != nil {
		return d, err
	}
	if d.quote == d.delimiter {
		return d, diag.New(diag.BadOption, -1, "options 'quote' and 'delimiter' are the same character")
	}
	return d, nil
}

func oneByte(opts connectors.Values, name string) (byte, error) {
	s := opts.String(name)
	if s == `\t` {
		s = "\t"
	}
	if len(s) != 1 || s[0] >= utf8.RuneSelf || s == "\n" || s == "\r" {
		return 0, diag.New(diag.BadOption, -1, "option '%s': '%s' is not one ASCII character", name, s)
	}
	return s[0], nil
}

func checkColumn(c connectors.Column) error {
	if class := c.Type.Class(); class == types.ClassList || class == types.ClassStruct {
		return diag.New(diag.NotSupported, -1, "column '%s': csv has no %s", c.Name, c.Type).
			WithHint("declare it as JSON or VARCHAR, or use format='json'")
	}
	return nil
}
