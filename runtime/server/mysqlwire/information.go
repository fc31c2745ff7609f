package mysqlwire

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// information is the record of a table of information_schema. Columns whose name begins with # are BIGINT; no fill means no rows.
type information struct {
	name    string
	columns string
	fill    func(s *Server, t *table)
}

// informations are the tables that drivers and BI tools read.
var informations = []information{
	{"schemata", "CATALOG_NAME SCHEMA_NAME DEFAULT_CHARACTER_SET_NAME DEFAULT_COLLATION_NAME SQL_PATH", fillSchemata},
	{"tables", "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_TYPE ENGINE #VERSION ROW_FORMAT #TABLE_ROWS #AVG_ROW_LENGTH #DATA_LENGTH " +
		"#MAX_DATA_LENGTH #INDEX_LENGTH #DATA_FREE #AUTO_INCREMENT CREATE_TIME UPDATE_TIME CHECK_TIME TABLE_COLLATION #CHECKSUM " +
		"CREATE_OPTIONS TABLE_COMMENT", fillTables},
	{"columns", "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME #ORDINAL_POSITION COLUMN_DEFAULT IS_NULLABLE DATA_TYPE " +
		"#CHARACTER_MAXIMUM_LENGTH #CHARACTER_OCTET_LENGTH #NUMERIC_PRECISION #NUMERIC_SCALE #DATETIME_PRECISION CHARACTER_SET_NAME " +
		"COLLATION_NAME COLUMN_TYPE COLUMN_KEY EXTRA PRIVILEGES COLUMN_COMMENT GENERATION_EXPRESSION", fillColumns},
	{"views", "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME VIEW_DEFINITION CHECK_OPTION IS_UPDATABLE DEFINER SECURITY_TYPE " +
		"CHARACTER_SET_CLIENT COLLATION_CONNECTION", fillViews},
	{"statistics", "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME #NON_UNIQUE INDEX_SCHEMA INDEX_NAME #SEQ_IN_INDEX COLUMN_NAME COLLATION " +
		"#CARDINALITY #SUB_PART PACKED NULLABLE INDEX_TYPE COMMENT INDEX_COMMENT IS_VISIBLE EXPRESSION", fillStatistics},
	{"key_column_usage", "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME " +
		"#ORDINAL_POSITION #POSITION_IN_UNIQUE_CONSTRAINT REFERENCED_TABLE_SCHEMA REFERENCED_TABLE_NAME REFERENCED_COLUMN_NAME", fillKeys},
	{"table_constraints", "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_SCHEMA TABLE_NAME CONSTRAINT_TYPE ENFORCED",
		fillConstraints},
	{"referential_constraints", "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME UNIQUE_CONSTRAINT_CATALOG UNIQUE_CONSTRAINT_SCHEMA " +
		"UNIQUE_CONSTRAINT_NAME MATCH_OPTION UPDATE_RULE DELETE_RULE TABLE_NAME REFERENCED_TABLE_NAME", nil},
	{"routines", "SPECIFIC_NAME ROUTINE_CATALOG ROUTINE_SCHEMA ROUTINE_NAME ROUTINE_TYPE DATA_TYPE ROUTINE_DEFINITION ROUTINE_COMMENT " +
		"DTD_IDENTIFIER IS_DETERMINISTIC SQL_DATA_ACCESS CREATED LAST_ALTERED DEFINER", nil},
	{"parameters", "SPECIFIC_CATALOG SPECIFIC_SCHEMA SPECIFIC_NAME #ORDINAL_POSITION PARAMETER_MODE PARAMETER_NAME DATA_TYPE " +
		"#CHARACTER_MAXIMUM_LENGTH #CHARACTER_OCTET_LENGTH #NUMERIC_PRECISION #NUMERIC_SCALE #DATETIME_PRECISION DTD_IDENTIFIER " +
		"ROUTINE_TYPE", nil},
	{"triggers", "TRIGGER_SCHEMA TRIGGER_NAME EVENT_MANIPULATION EVENT_OBJECT_SCHEMA EVENT_OBJECT_TABLE ACTION_STATEMENT ACTION_TIMING", nil},
	{"events", "EVENT_SCHEMA EVENT_NAME EVENT_DEFINITION STATUS", nil},
	{"partitions", "TABLE_SCHEMA TABLE_NAME PARTITION_NAME PARTITION_METHOD", nil},
	{"engines", "ENGINE SUPPORT COMMENT TRANSACTIONS XA SAVEPOINTS", func(_ *Server, t *table) {
		t.add("Millrace", "DEFAULT", "Stream SQL", "NO", "NO", "NO")
	}},
	{"character_sets", "CHARACTER_SET_NAME DEFAULT_COLLATE_NAME DESCRIPTION #MAXLEN", func(_ *Server, t *table) {
		t.add("utf8mb4", "utf8mb4_general_ci", "UTF-8 Unicode", 4)
	}},
	{"collations", "COLLATION_NAME CHARACTER_SET_NAME #ID IS_DEFAULT IS_COMPILED #SORTLEN PAD_ATTRIBUTE", func(_ *Server, t *table) {
		t.add("utf8mb4_general_ci", "utf8mb4", charsetUTF8MB4, "Yes", "Yes", 1, "PAD SPACE")
	}},
}

// registerInformation makes information_schema readable by every statement of the engine; names are rewritten by substitute.
func registerInformation(s *Server) {
	for _, x := range informations {
		fields := newTable(strings.Fields(x.columns)...).fields
		s.opt.Engine.RegisterSystemTable(informationPrefix+x.name, fields, func(b *vector.Batch) {
			if x.fill != nil {
				x.fill(s, &table{fields: fields, batch: b})
			}
		})
	}
}

// listed are the relations of a database that can be read.
func (s *Server) listed(database string) []*catalog.Relation {
	inner := database != databaseName
	return slices.DeleteFunc(s.opt.Engine.Catalog().List(), func(r *catalog.Relation) bool {
		return r.Kind == catalog.Sink || strings.HasPrefix(r.Name, informationPrefix) != inner
	})
}

// tableType is MySQL's word for a kind.
func tableType(r *catalog.Relation) string {
	switch r.Kind {
	case catalog.SystemTable:
		return "SYSTEM VIEW"
	case catalog.View, catalog.MaterializedView:
		return "VIEW"
	}
	return "BASE TABLE"
}

func fillSchemata(_ *Server, t *table) {
	for _, d := range databases {
		t.add("def", d, "utf8mb4", "utf8mb4_general_ci", nil)
	}
}

func fillTables(s *Server, t *table) {
	for _, d := range databases {
		for _, r := range s.listed(d) {
			row := make([]any, len(t.fields))
			row[0], row[1], row[2], row[3], row[4] = "def", d, plainName(r), tableType(r), "Millrace"
			row[17], row[19], row[20] = "utf8mb4_general_ci", "", r.Kind.String()
			t.add(row...)
		}
	}
}

func fillColumns(s *Server, t *table) {
	for _, d := range databases {
		for _, r := range s.listed(d) {
			for i := range r.Columns {
				t.add(columnRow(d, r, i)...)
			}
		}
	}
}

// columnRow is a row of information_schema.columns.
func columnRow(database string, r *catalog.Relation, i int) []any {
	col := r.Columns[i]
	m := columnOf(col.Type)
	var chars, octets, precision, scale, digits, charset, collation any
	switch k := col.Type.Kind; {
	case m.kind == typeVarString && m.charset == charsetUTF8MB4:
		chars, octets, charset, collation = int(m.length/4), int(m.length), "utf8mb4", "utf8mb4_general_ci"
	case k == types.Bytes:
		chars, octets = int(m.length), int(m.length)
	case k == types.Decimal:
		precision, scale = col.Type.Precision, col.Type.Scale
	case k.IsInteger():
		precision, scale = types.IntegerDigits(k), 0
	case k == types.Bool:
		precision, scale = 1, 0
	case k.IsFloat():
		precision = int(m.length)
	case k.IsTemporal() && k != types.Date:
		digits = col.Type.Precision
	}
	null, key := "YES", ""
	if slices.Contains(r.PrimaryKey, i) {
		null, key = "NO", "PRI"
	}
	if col.NotNull {
		null = "NO"
	}
	return []any{"def", database, plainName(r), col.Name, i + 1, nil, null, m.data, chars, octets, precision, scale, digits, charset, collation,
		m.name, key, "", "select", "", ""}
}

func fillViews(s *Server, t *table) {
	for _, r := range s.listed(databaseName) {
		if tableType(r) == "VIEW" {
			t.add("def", databaseName, plainName(r), "", "NONE", "NO", "", "DEFINER", "utf8mb4", "utf8mb4_general_ci")
		}
	}
}

// eachKey calls f for each column of each primary key.
func eachKey(s *Server, f func(r *catalog.Relation, position int, column string)) {
	for _, r := range s.listed(databaseName) {
		for n, k := range r.PrimaryKey {
			f(r, n+1, r.Columns[k].Name)
		}
	}
}

func fillStatistics(s *Server, t *table) {
	eachKey(s, func(r *catalog.Relation, n int, column string) {
		t.add("def", databaseName, r.Name, 0, databaseName, "PRIMARY", n, column, "A", nil, nil, nil, "", "HASH", "", "", "YES", nil)
	})
}

func fillKeys(s *Server, t *table) {
	eachKey(s, func(r *catalog.Relation, n int, column string) {
		t.add("def", databaseName, "PRIMARY", "def", databaseName, r.Name, column, n, nil, nil, nil, nil)
	})
}

func fillConstraints(s *Server, t *table) {
	eachKey(s, func(r *catalog.Relation, n int, _ string) {
		if n == 1 {
			t.add("def", databaseName, "PRIMARY", databaseName, r.Name, "PRIMARY KEY", "YES")
		}
	})
}
