package bind

import (
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Relation makes the catalog entry of CREATE SOURCE or CREATE TABLE.
func (b *Binder) Relation(s *ast.CreateRelation) (*catalog.Relation, error) {
	rel := &catalog.Relation{Name: s.Name.Text, Kind: catalog.Source}
	if s.Kind == "TABLE" {
		rel.Kind = catalog.Table
	}
	if err := b.options(rel, s.Options); err != nil {
		return nil, err
	}
	if err := b.check(rel, s.Options, s.Name, false); err != nil {
		return nil, err
	}
	if err := b.columns(rel, s.Columns, s.Name); err != nil {
		return nil, err
	}
	if err := b.computedTypes(rel, s.Columns); err != nil {
		return nil, err
	}
	if err := b.primaryKey(rel, s.PrimaryKey); err != nil {
		return nil, err
	}
	if s.Watermark != nil {
		if err := b.watermarkOf(rel, s.Watermark); err != nil {
			return nil, err
		}
	}
	return rel, nil
}

// options fills in the WITH clause; keys become lower case.
func (b *Binder) options(rel *catalog.Relation, options []ast.Option) error {
	rel.Options = make(map[string]string, len(options))
	for _, o := range options {
		key := lower(o.Key)
		if _, twice := rel.Options[key]; twice {
			return diag.New(diag.BadOption, b.at(o), "option '%s' is given twice", key)
		}
		rel.Options[key] = o.Value
	}
	rel.Connector = lower(rel.Options["connector"])
	return nil
}

// check lets the connector validate its options; an error without position is put at the option that it names, else at the name.
func (b *Binder) check(rel *catalog.Relation, options []ast.Option, name ast.Name, sink bool) error {
	if b.env.Connectors == nil {
		return nil
	}
	err := b.env.Connectors.Check(rel, sink)
	d, ok := diag.As(err)
	if !ok || d.Offset >= 0 {
		return err
	}
	placed := *d
	placed.Offset = b.at(name)
	for _, o := range options {
		key := lower(o.Key)
		isConnector := key == "connector" && d.Code == diag.UnknownConnector || key == "format" && d.Code == diag.UnknownFormat
		if isConnector || strings.Contains(d.Message, "'"+key+"'") {
			placed.Offset = b.at(o)
			if !strings.HasPrefix(d.Message, "unknown option") {
				placed.Offset = b.at(o.ValuePos)
			}
			break
		}
	}
	return &placed
}

// columns resolves the declared columns; types of computed ones come later, when the others are known.
func (b *Binder) columns(rel *catalog.Relation, defs []ast.ColumnDef, name ast.Name) error {
	if len(defs) > MaxColumns {
		return diag.New(diag.TooDeep, b.at(name), "more than %d columns", MaxColumns)
	}
	physical := false
	for i := range defs {
		d := &defs[i]
		if rel.Column(d.Name.Text) >= 0 {
			return diag.New(diag.DuplicateName, b.at(d.Name), "column '%s' is declared twice", d.Name.Text)
		}
		c := catalog.Column{Name: d.Name.Text, Computed: d.Computed, Metadata: d.Metadata, NotNull: d.NotNull}
		if d.Type != nil {
			var err error
			if c.Type, err = b.typeOf(d.Type); err != nil {
				return err
			}
		}
		if d.Metadata {
			if err := b.metadata(rel, &c, d); err != nil {
				return err
			}
		}
		physical = physical || d.Computed == nil && !d.Metadata
		rel.Columns = append(rel.Columns, c)
	}
	if physical || b.env.Connectors == nil {
		return b.someColumns(rel, name)
	}
	var own []catalog.Column
	for _, f := range b.env.Connectors.Schema(rel) {
		if rel.Column(f.Name) < 0 {
			own = append(own, catalog.Column{Name: f.Name, Type: f.Type})
		}
	}
	rel.Columns = append(own, rel.Columns...)
	return b.someColumns(rel, name)
}

func (b *Binder) someColumns(rel *catalog.Relation, name ast.Name) error {
	if len(rel.Columns) > 0 {
		return nil
	}
	return diag.New(diag.SyntaxError, b.at(name), "'%s' has no columns", rel.Name).WithHint("CREATE SOURCE %s (id BIGINT, ..) WITH (..)", rel.Name)
}

// metadata checks the key of a METADATA column and gives the column the key's type when none was written.
func (b *Binder) metadata(rel *catalog.Relation, c *catalog.Column, d *ast.ColumnDef) error {
	c.MetadataKey = d.MetadataKey
	if c.MetadataKey == "" {
		c.MetadataKey = d.Name.Text
	}
	if b.env.Connectors == nil {
		return nil
	}
	known := b.env.Connectors.Metadata(rel)
	t, ok := known[lower(c.MetadataKey)]
	if !ok {
		var keys []string
		for k := range known {
			keys = append(keys, k)
		}
		err := diag.New(diag.UnknownColumn, b.at(d), "connector '%s' has no metadata '%s'", rel.Connector, c.MetadataKey)
		return hintNearest(err, c.MetadataKey, sorted(keys), "metadata")
	}
	c.MetadataKey = lower(c.MetadataKey)
	if d.Type == nil {
		c.Type = t
		return nil
	}
	if !types.ImplicitCast(t, c.Type) {
		return diag.New(diag.TypeMismatch, b.at(d.Type), "metadata '%s' is %s, not %s", c.MetadataKey, t, c.Type)
	}
	return nil
}

// computedTypes binds the computed columns to learn, or check, their types.
func (b *Binder) computedTypes(rel *catalog.Relation, defs []ast.ColumnDef) error {
	base := len(rel.Columns) - len(defs)
	for i := range rel.Columns {
		c := &rel.Columns[i]
		if c.Computed == nil {
			continue
		}
		e, err := b.expr(c.Computed, &clause{name: "a computed column", scope: readable(rel, i)})
		if err != nil {
			return err
		}
		def := &defs[i-base]
		switch {
		case def.Type == nil && e.Type().Kind == types.Null:
			return diag.New(diag.UnknownType, b.at(def.Name), "the type of '%s' is unknown", c.Name).WithHint("declare it: %s BIGINT AS ..", c.Name)
		case def.Type == nil:
			c.Type = e.Type()
		case !types.ImplicitCast(e.Type(), c.Type):
			return diag.New(diag.TypeMismatch, b.at(c.Computed), "'%s' is declared %s but computed as %s", c.Name, c.Type, e.Type()).
				WithHint("CAST(.. AS %s)", c.Type)
		}
	}
	return nil
}

// readable is what computed column i sees: the columns that are read and the computed ones before it.
func readable(rel *catalog.Relation, i int) *scope {
	s := &scope{}
	for k, c := range rel.Columns {
		if c.Computed == nil || k < i {
			s.cols = append(s.cols, scopeColumn{table: rel.Name, name: c.Name, typ: c.Type, index: k})
		}
	}
	return s
}

func (b *Binder) primaryKey(rel *catalog.Relation, names []ast.Name) error {
	for _, n := range names {
		i := rel.Column(n.Text)
		if i < 0 {
			all := fieldsScope(rel)
			return all.unknown("", n, b.at)
		}
		rel.Columns[i].NotNull = true
		rel.PrimaryKey = append(rel.PrimaryKey, i)
	}
	return nil
}

func fieldsScope(rel *catalog.Relation) *scope { return readable(rel, len(rel.Columns)) }

func (b *Binder) watermarkOf(rel *catalog.Relation, def *ast.WatermarkDef) error {
	sc := fieldsScope(rel)
	i := rel.Column(def.Column.Text)
	if i < 0 {
		return sc.unknown("", def.Column, b.at)
	}
	t := rel.Columns[i].Type
	if t.Kind != types.Timestamp && t.Kind != types.Datetime {
		return diag.New(diag.NoEventTime, b.at(def.Column), "event time must be a TIMESTAMP, '%s' is %s", def.Column.Text, t).
			WithHint("declare it TIMESTAMP(3), or compute one from it and declare the watermark for that")
	}
	e, err := b.expr(def.Expr, &clause{name: "WATERMARK", scope: sc})
	if err != nil {
		return err
	}
	if e.Type().Kind != t.Kind {
		return diag.New(diag.TypeMismatch, b.at(def.Expr), "the watermark is %s, its column '%s' is %s", e.Type(), def.Column.Text, t).
			WithHint("WATERMARK FOR %s AS %s - INTERVAL 5 SECOND", def.Column.Text, def.Column.Text)
	}
	rel.Watermark = &catalog.Watermark{Column: i, Expr: def.Expr}
	return nil
}

// View binds the query of CREATE [MATERIALIZED] VIEW and makes the entry, without the key, which the optimised plan tells.
func (b *Binder) View(s *ast.CreateView) (*catalog.Relation, logical.Node, error) {
	rel := &catalog.Relation{Name: s.Name.Text, Kind: catalog.View, Query: s.Query}
	if s.Materialized {
		rel.Kind = catalog.MaterializedView
	}
	if err := b.options(rel, s.Options); err != nil {
		return nil, nil, err
	}
	b.inline = true
	n, err := b.query(s.Query)
	if err != nil {
		return nil, nil, err
	}
	if len(s.Columns) > 0 && len(s.Columns) != len(n.Columns()) {
		return nil, nil, diag.New(diag.WrongArguments, b.at(s.Columns[0]), "%d column names for %d columns", len(s.Columns), len(n.Columns()))
	}
	notNull := logical.NotNull(n)
	for i, f := range n.Columns() {
		c := catalog.Column{Name: f.Name, Type: f.Type, NotNull: notNull[i]}
		var at ast.Node = s.Query
		if len(s.Columns) > 0 {
			c.Name, at = s.Columns[i].Text, s.Columns[i]
		}
		if rel.Column(c.Name) >= 0 {
			return nil, nil, b.duplicateOutput(c.Name, at)
		}
		rel.Columns = append(rel.Columns, storable(c))
	}
	return rel, b.rename(n, rel.Fields()), nil
}

// storable gives a column of untyped NULLs a type.
func storable(c catalog.Column) catalog.Column {
	if c.Type.Kind == types.Null {
		c.Type = types.Of(types.String)
	}
	return c
}

func (b *Binder) duplicateOutput(name string, at ast.Node) error {
	return diag.New(diag.DuplicateName, b.at(at), "two columns of the result are named '%s'", name).WithHint("rename one: .. AS another_name")
}

// Sink makes the entry of CREATE SINK and binds its query, when it has one, to the sink's columns.
func (b *Binder) Sink(s *ast.CreateSink) (*catalog.Relation, logical.Node, error) {
	rel := &catalog.Relation{Name: s.Name.Text, Kind: catalog.Sink, Query: s.Query}
	if err := b.options(rel, s.Options); err != nil {
		return nil, nil, err
	}
	if err := b.sinkColumns(rel, s); err != nil {
		return nil, nil, err
	}
	var n logical.Node
	if s.Query != nil {
		var err error
		if n, err = b.Query(s.Query); err != nil {
			return nil, nil, err
		}
	}
	if len(rel.Columns) == 0 && n != nil {
		for _, f := range n.Columns() {
			if rel.Column(f.Name) >= 0 {
				return nil, nil, b.duplicateOutput(f.Name, s.Query)
			}
			rel.Columns = append(rel.Columns, storable(catalog.Column{Name: f.Name, Type: f.Type}))
		}
	}
	if err := b.primaryKey(rel, s.PrimaryKey); err != nil {
		return nil, nil, err
	}
	if err := b.check(rel, s.Options, s.Name, true); err != nil {
		return nil, nil, err
	}
	if n == nil {
		return rel, nil, b.someColumns(rel, s.Name)
	}
	n, err := b.into(rel, n, nil, s.Query)
	return rel, n, err
}

func (b *Binder) sinkColumns(rel *catalog.Relation, s *ast.CreateSink) error {
	for i := range s.Columns {
		d := &s.Columns[i]
		switch {
		case d.Computed != nil:
			return notSupported(b.at(d.Name), "a computed column in a sink").WithHint("compute it in the query")
		case rel.Column(d.Name.Text) >= 0:
			return diag.New(diag.DuplicateName, b.at(d.Name), "column '%s' is declared twice", d.Name.Text)
		case d.Type == nil:
			return diag.New(diag.UnknownType, b.at(d.Name), "column '%s' has no type", d.Name.Text)
		}
		t, err := b.typeOf(d.Type)
		if err != nil {
			return err
		}
		c := catalog.Column{Name: d.Name.Text, Type: t, NotNull: d.NotNull, Metadata: d.Metadata, MetadataKey: d.MetadataKey}
		if c.Metadata && c.MetadataKey == "" {
			c.MetadataKey = c.Name
		}
		rel.Columns = append(rel.Columns, c)
	}
	return nil
}

// Insert binds INSERT INTO to the target's columns.
func (b *Binder) Insert(s *ast.Insert) (*catalog.Relation, logical.Node, error) {
	rel := b.env.Catalog.Get(s.Target.Text)
	if rel == nil {
		return nil, nil, b.unknownRelation(s.Target)
	}
	b.note(&b.reads, rel.Name)
	if rel.Kind != catalog.Sink && rel.Kind != catalog.Table && rel.Kind != catalog.Source {
		return nil, nil, diag.New(diag.WrongObjectKind, b.at(s.Target), "'%s' is a %s: rows are inserted into sinks", rel.Name, rel.Kind)
	}
	rel, err := b.writable(rel, s)
	if err != nil {
		return nil, nil, err
	}
	n, err := b.Query(s.Query)
	if err != nil {
		return nil, nil, err
	}
	var cols []int
	for _, name := range s.Columns {
		i := rel.Column(name.Text)
		if i < 0 {
			return nil, nil, fieldsScope(rel).unknown(rel.Name, name, b.at)
		}
		cols = append(cols, i)
	}
	n, err = b.into(rel, n, cols, s.Query)
	return rel, n, err
}

// writable is a relation as INSERT sees it: a source or table that its connector can write has only its physical columns.
func (b *Binder) writable(rel *catalog.Relation, s *ast.Insert) (*catalog.Relation, error) {
	if rel.Kind == catalog.Sink {
		return rel, nil
	}
	if err := b.check(rel, nil, s.Target, true); err != nil {
		return nil, err
	}
	out := *rel
	out.Columns, out.PrimaryKey, out.Watermark = nil, nil, nil
	at := make([]int, len(rel.Columns))
	for i, c := range rel.Columns {
		at[i] = -1
		if c.Computed == nil && !c.Metadata {
			at[i] = len(out.Columns)
			out.Columns = append(out.Columns, c)
		}
	}
	for _, k := range rel.PrimaryKey {
		if at[k] >= 0 {
			out.PrimaryKey = append(out.PrimaryKey, at[k])
		}
	}
	return &out, nil
}

// into casts the columns of a query to those of a relation: to the named ones, the others become NULL, or to all by position.
func (b *Binder) into(rel *catalog.Relation, n logical.Node, cols []int, at ast.Node) (logical.Node, error) {
	if cols == nil {
		cols = make([]int, len(rel.Columns))
		for i := range cols {
			cols[i] = i
		}
	}
	if len(cols) != len(n.Columns()) {
		return nil, diag.New(diag.WrongArguments, b.at(at), "the query gives %d column(s), '%s' takes %d", len(n.Columns()), rel.Name, len(cols))
	}
	exprs, names := make([]expr.Expr, len(rel.Columns)), make([]string, len(rel.Columns))
	for i, c := range rel.Columns {
		names[i], exprs[i] = c.Name, expr.NewTypedNull(c.Type)
	}
	for i, c := range cols {
		have, want := n.Columns()[i].Type, rel.Columns[c].Type
		if !types.ImplicitCast(have, want) {
			return nil, diag.New(diag.TypeMismatch, b.at(at), "column '%s' of '%s' is %s, the query gives %s", rel.Columns[c].Name, rel.Name, want, have).
				WithHint("CAST(%s AS %s)", n.Columns()[i].Name, want)
		}
		e, err := expr.NewAssign(logical.ColOf(n, i), want, b.at(at))
		if err != nil {
			return nil, err
		}
		exprs[c] = e
	}
	return logical.NewProject(n, exprs, names), nil
}
