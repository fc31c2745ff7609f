package format

import (
	"slices"
	"strings"
	"sync"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// Decoder turns records into rows. It belongs to one reader and is not safe for concurrent use.
type Decoder interface {
	// Decode appends exactly one row to dst, whose columns are those the decoder was made for, or nothing when it returns an error.
	// Record and meta are only borrowed.
	Decode(record []byte, meta *Meta, dst *vector.Batch) *diag.Error
}

// HeaderDecoder is implemented by decoders of formats that may begin with a header record (csv).
type HeaderDecoder interface {
	Decoder
	// WantsHeader tells whether the first record of each file is a header.
	WantsHeader() bool
	// Header reads the header record; the rows that follow are mapped by its names.
	Header(record []byte) *diag.Error
}

// Framer is implemented by decoders whose records in a file are not simply lines (csv: quoted line ends).
type Framer interface {
	// Frame returns the length of the first record of data with its line end; 0 when data does not hold a whole one.
	Frame(data []byte) int
}

// Encoder turns rows into records. It is not safe for concurrent use.
type Encoder interface {
	// Encode appends the record of physical row `row`, without a line end.
	Encode(dst []byte, b *vector.Batch, row int) ([]byte, error)
	// Key appends the record's key; false when records of this relation have none. One key column gives its plain text, several a
	// JSON object.
	Key(dst []byte, b *vector.Batch, row int) ([]byte, bool)
}

// HeaderEncoder is implemented by encoders of formats whose files begin with a header record (csv).
type HeaderEncoder interface {
	Encoder
	// Header appends the header record without a line end; false when none is wanted.
	Header(dst []byte) ([]byte, bool)
}

// DecoderConfig is what a decoder is made for.
type DecoderConfig struct {
	Columns []connectors.Column // of the batches it fills, metadata columns included
	Options connectors.Values
}

// EncoderConfig is what an encoder is made for.
type EncoderConfig struct {
	Columns []connectors.Column // of the batches it reads; metadata columns are not part of the record's value
	Key     []int               // key columns; empty: a column with MetadataKey "key", or none
	Options connectors.Values
}

// Spec declares a format. Decoder or Encoder is nil when the format cannot do it record by record.
type Spec struct {
	Name    string
	Doc     string
	Example string
	Options []connectors.Option
	Decoder func(cfg DecoderConfig) (Decoder, error)
	Encoder func(cfg EncoderConfig) (Encoder, error)
}

var registry = struct {
	sync.RWMutex
	specs map[string]*Spec
}{specs: map[string]*Spec{}}

// Register adds a format and declares its options to the connectors' registry; called from init functions.
func Register(s *Spec) {
	registry.Lock()
	defer registry.Unlock()
	if _, taken := registry.specs[s.Name]; taken {
		panic("format: two formats named " + s.Name)
	}
	registry.specs[s.Name] = s
	connectors.RegisterFormatOptions(s.Name, s.Options)
}

// Lookup finds a format by name; a *diag.Error with did-you-mean when there is none.
func Lookup(name string) (*Spec, error) {
	registry.RLock()
	defer registry.RUnlock()
	if s, ok := registry.specs[name]; ok {
		return s, nil
	}
	var names []string
	for n := range registry.specs {
		names = append(names, n)
	}
	slices.Sort(names)
	err := diag.New(diag.UnknownFormat, -1, "unknown format '%s'", name)
	if near := diag.Suggest(name, names); near != "" {
		return nil, err.WithHint("did you mean '%s'?", near)
	}
	return nil, err.WithHint("formats: %s", strings.Join(names, ", "))
}

// All returns every format by name.
func All() []*Spec {
	registry.RLock()
	defer registry.RUnlock()
	out := make([]*Spec, 0, len(registry.specs))
	for _, s := range registry.specs {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Spec) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// NewDecoder makes a decoder of the named format for a source's columns.
func NewDecoder(name string, cols []connectors.Column, opts connectors.Values) (Decoder, error) {
	s, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	if s.Decoder == nil {
		return nil, diag.New(diag.BadOption, -1, "format '%s' cannot be read record by record", name)
	}
	return s.Decoder(DecoderConfig{Columns: cols, Options: opts})
}

// NewEncoder makes an encoder of the named format for a sink's columns; key lists its key columns.
func NewEncoder(name string, cols []connectors.Column, key []int, opts connectors.Values) (Encoder, error) {
	s, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	if s.Encoder == nil {
		return nil, diag.New(diag.BadOption, -1, "format '%s' cannot be written record by record", name)
	}
	return s.Encoder(EncoderConfig{Columns: cols, Key: key, Options: opts})
}
