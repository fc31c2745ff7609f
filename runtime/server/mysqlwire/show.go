package mysqlwire

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/types"
)

// none are the SHOWs of things that do not exist here: their columns are told, no rows.
var none = map[string][]string{
	"TRIGGERS":         {"Trigger", "Event", "Table", "Statement", "Timing", "Created", "sql_mode", "Definer", "character_set_client", "collation_connection", "Database Collation"},
	"EVENTS":           {"Db", "Name", "Definer", "Time zone", "Type", "Execute at", "Interval value", "Interval field", "Starts", "Ends", "Status", "Originator"},
	"PROCEDURE STATUS": {"Db", "Name", "Type", "Definer", "Modified", "Created", "Security_type", "Comment", "character_set_client", "collation_connection", "Database Collation"},
	"FUNCTION STATUS":  {"Db", "Name", "Type", "Definer", "Modified", "Created", "Security_type", "Comment", "character_set_client", "collation_connection", "Database Collation"},
	"OPEN TABLES":      {"Database", "Table", "In_use", "Name_locked"},
	"PLUGINS":          {"Name", "Status", "Type", "Library", "License"},
	"PRIVILEGES":       {"Privilege", "Context", "Comment"},
	"PROFILES":         {"Query_ID", "Duration", "Query"},
	"MASTER STATUS":    {"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB", "Executed_Gtid_Set"},
	"BINARY LOGS":      {"Log_name", "File_size", "Encrypted"},
}

// show answers SHOW in MySQL's form; what MySQL does not have is left to the engine.
func (c *conn) show(ctx context.Context, w *words) (*reply, error) {
	w.k = 1
	full := false
	for {
		switch {
		case w.accept("FULL"), w.accept("EXTENDED"):
			full = true
			continue
		case w.accept("SESSION"), w.accept("GLOBAL"), w.accept("LOCAL"):
			continue
		}
		break
	}
	for what, columns := range none {
		if w.is(w.k, strings.Fields(what)...) {
			return newTable(columns...).reply(), nil
		}
	}
	switch {
	case w.accept("DATABASES"), w.accept("SCHEMAS"):
		t := newTable("Database")
		for _, d := range databases {
			t.add(d)
		}
		return t.filter(w)
	case w.accept("TABLES"):
		return c.showTables(w, full)
	case w.accept("TABLE", "STATUS"):
		return c.showTableStatus(w)
	case w.accept("COLUMNS"), w.accept("FIELDS"):
		return c.showColumnsOf(w, full)
	case w.accept("INDEX"), w.accept("INDEXES"), w.accept("KEYS"):
		return c.showIndex(w)
	case w.accept("CREATE", "TABLE"), w.accept("CREATE", "VIEW"):
		return c.showCreate(ctx, w)
	case w.accept("CREATE", "DATABASE"), w.accept("CREATE", "SCHEMA"):
		t := newTable("Database", "Create Database")
		t.add(databaseName, "CREATE DATABASE `"+databaseName+"` /*!40100 DEFAULT CHARACTER SET utf8mb4 */")
		return t.reply(), nil
	}
	return c.showServer(w)
}

// showServer answers SHOW of the server itself.
func (c *conn) showServer(w *words) (*reply, error) {
	switch {
	case w.accept("VARIABLES"):
		t := newTable("Variable_name", "Value")
		for _, n := range c.allVariables() {
			v, _ := c.variable(n)
			t.add(n, v)
		}
		return t.filter(w)
	case w.accept("STATUS"):
		t := newTable("Variable_name", "Value")
		uptime, threads, questions := c.srv.status()
		for _, row := range [][2]string{{"Queries", itoa(questions)}, {"Questions", itoa(questions)}, {"Ssl_cipher", ""},
			{"Threads_connected", itoa(threads)}, {"Uptime", itoa(uptime)}} {
			t.add(row[0], row[1])
		}
		return t.filter(w)
	case w.accept("WARNINGS"):
		return c.showWarnings().reply(), nil
	case w.accept("COUNT", "(", "*", ")", "WARNINGS"), w.accept("COUNT", "(", "*", ")", "ERRORS"):
		t := newTable("#@@session.warning_count")
		t.add(len(c.warnings))
		return t.reply(), nil
	case w.accept("ENGINES"), w.accept("STORAGE", "ENGINES"):
		t := newTable("Engine", "Support", "Comment", "Transactions", "XA", "Savepoints")
		t.add("Millrace", "DEFAULT", "Stream SQL", "NO", "NO", "NO")
		return t.filter(w)
	case w.accept("CHARACTER", "SET"), w.accept("CHARSET"):
		t := newTable("Charset", "Description", "Default collation", "#Maxlen")
		t.add("utf8mb4", "UTF-8 Unicode", "utf8mb4_general_ci", 4)
		t.add("binary", "Binary pseudo charset", "binary", 1)
		return t.filter(w)
	case w.accept("COLLATION"):
		t := newTable("Collation", "Charset", "#Id", "Default", "Compiled", "#Sortlen", "Pad_attribute")
		t.add("utf8mb4_general_ci", "utf8mb4", charsetUTF8MB4, "Yes", "Yes", 1, "PAD SPACE")
		t.add("utf8mb4_bin", "utf8mb4", 46, "", "Yes", 1, "PAD SPACE")
		t.add("binary", "binary", charsetBinary, "Yes", "Yes", 1, "NO PAD")
		return t.filter(w)
	case w.accept("PROCESSLIST"):
		return c.processlist(), w.mustEnd()
	case w.accept("GRANTS"):
		t := newTable("Grants for " + c.account())
		t.add("GRANT ALL PRIVILEGES ON *.* TO '" + c.user + "'@'%'")
		return t.reply(), nil
	}
	return nil, nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// databaseOf takes FROM or IN and the name of a database.
func (c *conn) databaseOf(w *words) (string, error) {
	if !w.accept("FROM") && !w.accept("IN") {
		return c.database, nil
	}
	name := w.name()
	for _, d := range databases {
		if strings.EqualFold(d, name) {
			return d, nil
		}
	}
	return "", wireError{1049, "42000", fmt.Sprintf("Unknown database '%s'", clip(name, 64))}
}

const informationPrefix = "information_schema."

// plainName is a relation's name within its database.
func plainName(r *catalog.Relation) string { return strings.TrimPrefix(r.Name, informationPrefix) }

// tableType is MySQL's word for a kind. Tools that hide views find them as tables after SET views_as_tables = 1.
func (c *conn) tableType(r *catalog.Relation) string {
	word := tableType(r)
	if v, _ := c.variable("views_as_tables"); v == "1" && word == "VIEW" {
		return "BASE TABLE"
	}
	return word
}

func (c *conn) showTables(w *words, full bool) (*reply, error) {
	database, err := c.databaseOf(w)
	if err != nil {
		return nil, err
	}
	names := []string{"Tables_in_" + database}
	if full {
		names = append(names, "Table_type")
	}
	t := newTable(names...)
	for _, r := range c.srv.listed(database) {
		row := []any{plainName(r), c.tableType(r)}
		t.add(row[:len(names)]...)
	}
	return t.filter(w)
}

func (c *conn) showTableStatus(w *words) (*reply, error) {
	database, err := c.databaseOf(w)
	if err != nil {
		return nil, err
	}
	t := newTable("Name", "Engine", "#Version", "Row_format", "#Rows", "#Avg_row_length", "#Data_length", "#Max_data_length", "#Index_length",
		"#Data_free", "#Auto_increment", "Create_time", "Update_time", "Check_time", "Collation", "#Checksum", "Create_options", "Comment")
	for _, r := range c.srv.listed(database) {
		row := make([]any, 18)
		row[0], row[1], row[14], row[16], row[17] = plainName(r), "Millrace", "utf8mb4_general_ci", "", r.Kind.String()
		if c.tableType(r) == "VIEW" {
			row[1], row[17] = nil, "VIEW"
		}
		t.add(row...)
	}
	return t.filter(w)
}

// showColumnsOf is SHOW [FULL] COLUMNS FROM t [FROM db].
func (c *conn) showColumnsOf(w *words, full bool) (*reply, error) {
	name, err := c.relationName(w)
	if err != nil {
		return nil, err
	}
	return c.showColumns(name, full).filter(w)
}

// relationName takes FROM t [FROM db] and checks that there is such a relation.
func (c *conn) relationName(w *words) (string, error) {
	if !w.accept("FROM") && !w.accept("IN") {
		return "", syntax(w, w.k, "FROM and a table are expected")
	}
	name := c.pathName(w)
	database, err := c.databaseOf(w)
	if err != nil {
		return "", err
	}
	if database != databaseName && c.relation(informationPrefix+name) != nil {
		name = informationPrefix + name
	}
	if c.relation(name) == nil {
		return "", unknownTable(name)
	}
	return name, nil
}

// pathName takes a relation's name, which keeps the prefix of information_schema.
func (c *conn) pathName(w *words) string {
	prefix := ""
	if w.raw(w.k+1) == "." && strings.EqualFold(unquote(w.raw(w.k)), databases[0]) {
		prefix = informationPrefix
	}
	return prefix + w.name()
}

func (c *conn) showColumns(name string, full bool) *table {
	names := []string{"Field", "Type", "Null", "Key", "Default", "Extra"}
	if full {
		names = []string{"Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"}
	}
	t := newTable(names...)
	rel := c.relation(name)
	for i, col := range rel.Columns {
		m := columnOf(col.Type)
		null, key, extra := "YES", "", ""
		if slices.Contains(rel.PrimaryKey, i) {
			null, key = "NO", "PRI"
		}
		if col.NotNull {
			null = "NO"
		}
		if col.Computed != nil {
			extra = "VIRTUAL GENERATED"
		}
		if !full {
			t.add(col.Name, m.name, null, key, nil, extra)
			continue
		}
		var collation any
		if m.charset == charsetUTF8MB4 {
			collation = "utf8mb4_general_ci"
		}
		t.add(col.Name, m.name, collation, null, key, nil, extra, "select", "")
	}
	return t
}

func (c *conn) showIndex(w *words) (*reply, error) {
	name, err := c.relationName(w)
	if err != nil {
		return nil, err
	}
	t := newTable("Table", "#Non_unique", "Key_name", "#Seq_in_index", "Column_name", "Collation", "#Cardinality", "#Sub_part", "Packed", "Null",
		"Index_type", "Comment", "Index_comment", "Visible", "Expression")
	rel := c.relation(name)
	for i, k := range rel.PrimaryKey {
		t.add(rel.Name, 0, "PRIMARY", i+1, rel.Columns[k].Name, "A", nil, nil, nil, "", "HASH", "", "", "YES", nil)
	}
	return t.filter(w)
}

// showCreate gives a statement in MySQL's shape, which tools parse; the one that made the relation is its comment.
func (c *conn) showCreate(ctx context.Context, w *words) (*reply, error) {
	name := w.name()
	rel := c.relation(name)
	if rel == nil {
		return nil, unknownTable(name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (", ast.QuoteName(rel.Name))
	for i, col := range rel.Columns {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n  %s %s", ast.QuoteName(col.Name), columnOf(col.Type).name)
		if col.NotNull || slices.Contains(rel.PrimaryKey, i) {
			b.WriteString(" NOT NULL")
		} else {
			if col.Type.Kind == types.Timestamp {
				b.WriteString(" NULL")
			}
			b.WriteString(" DEFAULT NULL")
		}
	}
	if len(rel.PrimaryKey) > 0 {
		var keys []string
		for _, k := range rel.PrimaryKey {
			keys = append(keys, ast.QuoteName(rel.Columns[k].Name))
		}
		fmt.Fprintf(&b, ",\n  PRIMARY KEY (%s)", strings.Join(keys, ","))
	}
	b.WriteString("\n) ENGINE=Millrace DEFAULT CHARSET=utf8mb4")
	if text := c.statementOf(ctx, rel); text != "" {
		// One line, as MySQL writes it: tools read the rest line by line.
		comment := strings.NewReplacer("\r", "", "\n", `\n`).Replace(ast.QuoteText(text))
		b.WriteString(" COMMENT=" + comment)
	}
	t := newTable("Table", "Create Table")
	t.add(rel.Name, b.String())
	return t.reply(), nil
}

// statementOf asks the engine for the statement that made a relation, without its secrets.
func (c *conn) statementOf(ctx context.Context, rel *catalog.Relation) string {
	res, err := c.session.Exec(ctx, "SHOW CREATE TABLE "+ast.QuoteName(rel.Name))
	if err != nil {
		return ""
	}
	defer res.Close()
	b, err := res.Next(ctx)
	if err == io.EOF || err != nil || b.Rows() == 0 || len(b.Cols) < 2 {
		return ""
	}
	return string(b.Cols[1].Bytes(0))
}

func (c *conn) showWarnings() *table {
	t := newTable("Level", "#Code", "Message")
	for _, x := range c.warnings {
		t.add(x.level, int(x.number), x.message)
	}
	return t
}

// processlist lists the connections; COM_PROCESS_INFO and SHOW PROCESSLIST are the same.
func (c *conn) processlist() *reply {
	t := newTable("#Id", "User", "Host", "db", "Command", "#Time", "State", "Info")
	all := c.srv.list()
	slices.SortFunc(all, func(a, b *conn) int { return int(a.id) - int(b.id) })
	for _, o := range all {
		o.mu.Lock()
		command, info, user, since := "Sleep", any(nil), o.client, o.since
		if o.stop != nil {
			command, info = "Query", clip(o.text, maxProcesslistChars)
		}
		o.mu.Unlock()
		t.add(int(o.id), user, o.nc.RemoteAddr().String(), databaseName, command, int(time.Since(since).Seconds()), "", info)
	}
	return t.reply()
}
