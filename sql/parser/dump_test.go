package parser

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/millrace/millrace/sql/ast"
)

// dump prints a tree as one line per node, leaving out positions and zero fields; names and columns come as text.
func dump(n any) string {
	var sb strings.Builder
	dumpValue(&sb, reflect.ValueOf(n), "", 0)
	return sb.String()
}

var posType = reflect.TypeOf(ast.Pos(0))

func dumpValue(sb *strings.Builder, v reflect.Value, label string, depth int) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	line := func(format string, args ...any) {
		sb.WriteString(strings.Repeat("  ", depth))
		if label != "" {
			sb.WriteString(label + ": ")
		}
		fmt.Fprintf(sb, format+"\n", args...)
	}
	switch x := v.Interface().(type) {
	case ast.Name:
		if x.Text != "" {
			line("%s", x.Text)
		}
		return
	case ast.Column:
		parts := make([]string, len(x.Parts))
		for i, p := range x.Parts {
			parts[i] = p.Text
		}
		line("%s @%d", strings.Join(parts, "."), x.Pos)
		return
	case ast.Literal:
		line("%s %q", [...]string{"null", "bool", "int", "decimal", "float", "string", "bytes", "date", "time", "timestamp"}[x.Kind], x.Text)
		return
	case ast.Option:
		line("%s = %q", x.Key, x.Value)
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			dumpValue(sb, v.Index(i), label, depth)
		}
	case reflect.Struct:
		scalars := v.Type().Name()
		for i := range v.NumField() {
			f := v.Field(i)
			if f.Type() == posType || f.IsZero() {
				continue
			}
			switch f.Kind() {
			case reflect.String:
				if v.Type().Field(i).Name == "Text" {
					scalars += fmt.Sprintf(" Text=%q", f.Interface())
				} else {
					scalars += fmt.Sprintf(" %s=%v", v.Type().Field(i).Name, f.Interface())
				}
			case reflect.Bool, reflect.Int, reflect.Int32, reflect.Uint8:
				scalars += fmt.Sprintf(" %s=%v", v.Type().Field(i).Name, f.Interface())
			case reflect.Slice:
				if f.Type().Elem().Kind() == reflect.Int {
					scalars += fmt.Sprintf(" %v", f.Interface())
				}
			}
		}
		line("%s", scalars)
		for i := range v.NumField() {
			f := v.Field(i)
			switch f.Kind() {
			case reflect.Struct, reflect.Slice, reflect.Interface, reflect.Pointer:
				if f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Int {
					continue
				}
				dumpValue(sb, f, v.Type().Field(i).Name, depth+1)
			}
		}
	}
}
