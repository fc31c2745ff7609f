package bind

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// plainTypes are the types without parameters that count.
var plainTypes = map[string]types.Kind{
	"BOOLEAN": types.Bool, "BOOL": types.Bool, "TINYINT": types.Int8, "SMALLINT": types.Int16, "MEDIUMINT": types.Int32, "INT": types.Int32,
	"INTEGER": types.Int32, "BIGINT": types.Int64, "SIGNED": types.Int64, "UNSIGNED": types.Uint64, "FLOAT": types.Float32,
	"DOUBLE": types.Float64, "REAL": types.Float64, "STRING": types.String, "TEXT": types.String, "TINYTEXT": types.String,
	"MEDIUMTEXT": types.String, "LONGTEXT": types.String, "BYTES": types.Bytes, "BLOB": types.Bytes, "TINYBLOB": types.Bytes,
	"MEDIUMBLOB": types.Bytes, "LONGBLOB": types.Bytes, "JSON": types.JSON,
	"DATE": types.Date, "YEAR": types.Year, "INTERVAL": types.Interval, "POINT": types.Point,
}

var unsigned = map[types.Kind]types.Kind{types.Int8: types.Uint8, types.Int16: types.Uint16, types.Int32: types.Uint32,
	types.Int64: types.Uint64}

// typeNames is what a misspelt type is compared with.
var typeNames = []string{"BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "STRING", "VARCHAR", "CHAR", "TEXT",
	"BYTES", "VARBINARY", "JSON", "DATE", "TIME", "DATETIME", "TIMESTAMP", "YEAR", "ENUM", "SET", "POINT", "INTERVAL", "ARRAY", "MAP", "STRUCT"}

// typeOf resolves a type as written.
func (b *Binder) typeOf(t *ast.TypeName) (types.Type, error) {
	if err := b.enter(t); err != nil {
		return types.Type{}, err
	}
	defer b.leave()
	arg := func(i, otherwise int) int {
		if i < len(t.Args) {
			return t.Args[i]
		}
		return otherwise
	}
	switch t.Name {
	case "DECIMAL", "NUMERIC", "DEC", "FIXED":
		return b.decimalType(t, arg(0, 10), arg(1, 0))
	case "VARCHAR":
		return types.Type{Kind: types.String, Precision: arg(0, 0)}, nil
	case "CHAR", "CHARACTER":
		return types.Type{Kind: types.String, Precision: arg(0, 0), Fixed: arg(0, 0) > 0}, nil
	case "VARBINARY":
		return types.Type{Kind: types.Bytes, Precision: arg(0, 0)}, nil
	case "BINARY":
		return types.Type{Kind: types.Bytes, Precision: arg(0, 0), Fixed: arg(0, 0) > 0}, nil
	case "ENUM", "SET":
		return b.listedType(t)
	case "TIME", "DATETIME", "TIMESTAMP":
		return b.timeType(t, arg(0, types.MaxTimePrecision))
	case "ARRAY", "MAP", "STRUCT", "ROW":
		return b.nestedType(t)
	}
	k, ok := plainTypes[t.Name]
	if !ok {
		return types.Type{}, hintNearest(diag.New(diag.UnknownType, b.at(t), "unknown type %s", t.Name), t.Name, typeNames, "types")
	}
	if u, is := unsigned[k]; is && t.Unsigned {
		k = u
	}
	return types.Of(k), nil
}

func (b *Binder) decimalType(t *ast.TypeName, precision, scale int) (types.Type, error) {
	if precision < 1 || precision > types.MaxDecimalPrecision || scale < 0 || scale > min(precision, types.MaxDecimalScale) {
		return types.Type{}, diag.New(diag.UnknownType, b.at(t), "DECIMAL(%d,%d) is out of range", precision, scale).
			WithHint("up to %d digits, %d of them behind the point", types.MaxDecimalPrecision, types.MaxDecimalScale)
	}
	return types.DecimalOf(precision, scale), nil
}

func (b *Binder) timeType(t *ast.TypeName, precision int) (types.Type, error) {
	if precision < 0 || precision > types.MaxTimePrecision {
		return types.Type{}, diag.New(diag.UnknownType, b.at(t), "%s(%d) is out of range", t.Name, precision).
			WithHint("up to %d digits of a second", types.MaxTimePrecision)
	}
	kind := map[string]types.Kind{"TIME": types.Time, "DATETIME": types.Datetime, "TIMESTAMP": types.Timestamp}[t.Name]
	return types.Type{Kind: kind, Precision: precision}, nil
}

// listedType resolves ENUM and SET; MySQL cuts trailing spaces off members.
func (b *Binder) listedType(t *ast.TypeName) (types.Type, error) {
	out := types.Type{Kind: types.Enum, Members: make([]string, len(t.Members))}
	if t.Name == "SET" {
		out.Kind = types.Set
	}
	for i, m := range t.Members {
		out.Members[i] = strings.TrimRight(m, " ")
	}
	if wrong := types.CheckMembers(out.Kind, out.Members); wrong != "" {
		return types.Type{}, diag.New(diag.UnknownType, b.at(t), "%s", wrong)
	}
	return out, nil
}

func (b *Binder) nestedType(t *ast.TypeName) (types.Type, error) {
	var elem, key types.Type
	var err error
	if t.Elem != nil {
		if elem, err = b.typeOf(t.Elem); err != nil {
			return elem, err
		}
	}
	if t.Key != nil {
		if key, err = b.typeOf(t.Key); err != nil {
			return key, err
		}
	}
	switch {
	case t.Name == "ARRAY" && t.Elem != nil:
		return types.ArrayOf(elem), nil
	case t.Name == "MAP" && t.Elem != nil && t.Key != nil:
		return types.MapOf(key, elem), nil
	case len(t.Fields) == 0:
		return types.Type{}, diag.New(diag.UnknownType, b.at(t), "%s needs the types of its parts", t.Name).
			WithHint("ARRAY<T>, MAP<K, V>, STRUCT<a T, b U>")
	}
	fields := make([]types.Field, len(t.Fields))
	for i := range t.Fields {
		ft, err := b.typeOf(&t.Fields[i].Type)
		if err != nil {
			return types.Type{}, err
		}
		fields[i] = types.Field{Name: t.Fields[i].Name.Text, Type: ft}
	}
	return types.StructOf(fields...), nil
}
