package opensearch

import (
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

const example = `CREATE TABLE zone_fares (zone VARCHAR, fares DOUBLE, window_end TIMESTAMP(3), PRIMARY KEY (zone, window_end) NOT ENFORCED)
WITH (connector = 'opensearch', url = 'http://localhost:9200', index = 'fares-{window_end|yyyy.MM}');`

func init() {
	connectors.Register(&connectors.Spec{
		Name:    "opensearch",
		Doc:     "indices of OpenSearch; a row with a key replaces the document of its key, a row without one becomes a new document",
		Example: example,
		Options: options,
		Formats: []string{"json"},
		Sink:    newSink,
		SinkMode: func(v connectors.Values, hasKey bool) connectors.SinkMode {
			if hasKey || v.String("id") != "" {
				return connectors.Upsert
			}
			return connectors.Append
		},
	})
}

var options = []connectors.Option{
	{Name: "url", Required: true, Doc: "the nodes: http://host:9200,http://other:9200"},
	{Name: "index", Required: true,
		Doc: "the index; {column} stands for a value, {column|yyyy.MM.dd} for a date in UTC; such columns must never change for a key"},
	{Name: "id", Doc: "columns of the document's id, 'a,b'; default: the primary key; without one, an id is made from the epoch and the row's number"},
	{Name: "routing", Doc: "column whose value routes the document to a shard; must never change for a key"},
	{Name: "create_index", Type: connectors.OptBool, Default: "true",
		Doc: "create a missing index with a mapping made from the columns' types, or an index template when the name has parts in braces"},
	{Name: "geo_point", Doc: "geo_point fields to add, made from two columns: 'location:lat,lon'; several separated by semicolons"},
	{Name: "username", Doc: "user name for basic authentication"},
	{Name: "password", Secret: true, Doc: "password for basic authentication"},
	{Name: "tls_ca", Doc: "PEM file of the certificate authorities to trust"},
	{Name: "tls_cert", Doc: "PEM file of the client's certificate"},
	{Name: "tls_key", Doc: "PEM file of the client's key"},
	{Name: "tls_skip_verify", Type: connectors.OptBool, Default: "false", Doc: "accept any certificate"},
	{Name: "bulk_max_bytes", Type: connectors.OptSize, Default: "5MiB", Doc: "bytes of a bulk request at most; it gets smaller while the cluster is overloaded"},
	{Name: "bulk_max_docs", Type: connectors.OptInt, Default: "2000", Doc: "documents of a bulk request at most"},
	{Name: "max_in_flight", Type: connectors.OptInt, Default: "4", Doc: "bulk requests at once at most"},
	{Name: "refresh", Type: connectors.OptEnum, Values: []string{"false", "wait_for", "true"}, Default: "false",
		Doc: "whether written documents can be searched for as soon as the epoch is delivered"},
	{Name: "request_timeout", Type: connectors.OptDuration, Default: "1m", Doc: "time to answer one request, after which it is sent again"},
	{Name: "connect_timeout", Type: connectors.OptDuration, Default: "30s",
		Doc: "how long to go on trying to reach the cluster before the statement fails; a job that runs never gives up"},
}

// Limits of the options.
const (
	maxBulkDocs  = 100_000
	maxBulkBytes = 1 << 30
	maxInFlight  = 64
)

// sinkOptions are the options of a sink, read and checked.
type sinkOptions struct {
	urls           []string
	index          indexName
	id             []int
	routing        int // column; -1: none
	geo            []geoPoint
	create         bool
	limits         limits
	refresh        string
	requestTimeout time.Duration
	connectTimeout time.Duration
}

// geoPoint is a field made from two columns.
type geoPoint struct {
	field    string
	lat, lon int
}

func readOptions(cfg connectors.SinkConfig) (o sinkOptions, err error) {
	v := cfg.Options
	o = sinkOptions{
		urls: splitList(v.String("url"), ","), id: cfg.Key, routing: -1, create: v.Bool("create_index"), refresh: v.String("refresh"),
		requestTimeout: v.Duration("request_timeout"), connectTimeout: v.Duration("connect_timeout"),
		limits: limits{docs: int(v.Int("bulk_max_docs")), bytes: int(v.Size("bulk_max_bytes")), inFlight: int(v.Int("max_in_flight"))},
	}
	if len(o.urls) == 0 {
		return o, badOption("url", "names no node")
	}
	for name, n := range map[string][2]int{"bulk_max_docs": {o.limits.docs, maxBulkDocs}, "bulk_max_bytes": {o.limits.bytes, maxBulkBytes},
		"max_in_flight": {o.limits.inFlight, maxInFlight}} {
		if n[0] < 1 || n[0] > n[1] {
			return o, badOption(name, "must be from 1 to %d", n[1])
		}
	}
	if o.index, err = parseIndexName(v.String("index"), cfg.Columns); err != nil {
		return o, err
	}
	if o.create && o.index.prefix() == "" {
		return o, badOption("index", "must begin with text outside braces, so that an index template can be made for it").
			WithHint("index = 'name-%s', or create_index = 'false'", v.String("index"))
	}
	if v.String("id") != "" {
		if o.id, err = columnList(cfg.Columns, "id", v.String("id")); err != nil {
			return o, err
		}
	}
	if r := v.String("routing"); r != "" {
		if o.routing, err = findColumn(cfg.Columns, "routing", r); err != nil {
			return o, err
		}
		if err := checkPlain(cfg.Columns, "routing", o.routing); err != nil {
			return o, err
		}
	}
	for _, c := range o.id {
		if err := checkPlain(cfg.Columns, "id", c); err != nil {
			return o, err
		}
	}
	o.geo, err = parseGeo(v.String("geo_point"), cfg.Columns)
	return o, err
}

func parseGeo(s string, columns []connectors.Column) (points []geoPoint, err error) {
	const option = "geo_point"
	for _, part := range splitList(s, ";") {
		field, pair, ok := strings.Cut(part, ":")
		names := splitList(pair, ",")
		if field = strings.TrimSpace(field); !ok || field == "" || len(names) != 2 {
			return nil, badOption(option, "'%s' is no field:latitude,longitude", part).WithHint("for example geo_point = 'location:lat,lon'")
		}
		if slices.ContainsFunc(columns, func(c connectors.Column) bool { return strings.EqualFold(c.Name, field) }) {
			return nil, badOption(option, "'%s' is a column already", field)
		}
		at, err := columnList(columns, option, pair)
		if err != nil {
			return nil, err
		}
		for _, i := range at {
			if !columns[i].Type.Kind.IsNumeric() {
				return nil, badOption(option, "column '%s' is no number but %s", columns[i].Name, columns[i].Type)
			}
		}
		points = append(points, geoPoint{field, at[0], at[1]})
	}
	return points, nil
}

func columnList(columns []connectors.Column, option, list string) (out []int, err error) {
	for _, name := range splitList(list, ",") {
		i, err := findColumn(columns, option, name)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

// checkPlain refuses nested columns where plain text is made of a value.
func checkPlain(columns []connectors.Column, option string, i int) error {
	if class := columns[i].Type.Class(); class == types.ClassList || class == types.ClassStruct {
		return badOption(option, "column '%s' is of type %s, which has no plain text", columns[i].Name, columns[i].Type)
	}
	return nil
}

func findColumn(columns []connectors.Column, option, name string) (int, error) {
	var names []string
	for i, c := range columns {
		if strings.EqualFold(c.Name, name) {
			return i, nil
		}
		names = append(names, c.Name)
	}
	err := badOption(option, "there is no column '%s'", name)
	if near := diag.Suggest(name, names); near != "" {
		return 0, err.WithHint("did you mean '%s'?", near)
	}
	return 0, err
}

func splitList(s, separator string) []string {
	var out []string
	for _, part := range strings.Split(s, separator) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func badOption(name, form string, args ...any) *diag.Error {
	return diag.New(diag.BadOption, -1, "option '%s': "+form, append([]any{name}, args...)...)
}
