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
	if short, ok := dumpShort(v.Interface()); ok {
		if short != "" {
			line("%s", short)
		}
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			if elem := v.Index(i); elem.Kind() == reflect.Slice {
				line("(%d)", elem.Len())
				dumpValue(sb, elem, "", depth+1)
				continue
			}
			dumpValue(sb, v.Index(i), label, depth)
		}
	case reflect.Struct:
		line("%s", dumpScalars(v))
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

// dumpShort gives the one-line form of the nodes that have one.
func dumpShort(n any) (string, bool) {
	switch x := n.(type) {
	case ast.Name:
		return x.Text, true
	case ast.Column:
		parts := make([]string, len(x.Parts))
		for i, p := range x.Parts {
			parts[i] = p.Text
		}
		return fmt.Sprintf("%s @%d", strings.Join(parts, "."), x.Pos), true
	case ast.Literal:
		kinds := [...]string{"null", "bool", "int", "decimal", "float", "string", "bytes", "date", "time", "timestamp"}
		return fmt.Sprintf("%s %q", kinds[x.Kind], x.Text), true
	case ast.Option:
		return fmt.Sprintf("%s = %q", x.Key, x.Value), true
	}
	return "", false
}

// dumpScalars gives a node's type and its fields that are no nodes.
func dumpScalars(v reflect.Value) string {
	out := v.Type().Name()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if f.Type() == posType || f.IsZero() {
			continue
		}
		switch f.Kind() {
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Uint8:
			if name == "Text" {
				out += fmt.Sprintf(" Text=%q", f.Interface())
			} else {
				out += fmt.Sprintf(" %s=%v", name, f.Interface())
			}
		case reflect.Slice:
			if f.Type().Elem().Kind() == reflect.Int {
				out += fmt.Sprintf(" %v", f.Interface())
			}
		}
	}
	return out
}
