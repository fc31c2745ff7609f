package file

import (
	"context"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format/parquet"
	"github.com/millrace/millrace/sql/vector"
)

// parquetReader reads the rows of one Parquet file; its position is the number of rows read.
type parquetReader struct {
	r *parquet.Reader
}

func newParquetReader(r *parquet.Reader, pos place) (connectors.Reader, error) {
	if err := r.SkipTo(pos.offset); err != nil {
		r.Close()
		return nil, err
	}
	return &parquetReader{r: r}, nil
}

// Read appends rows until the batch is full or the file ends.
func (p *parquetReader) Read(ctx context.Context, dst *vector.Batch) (connectors.Status, error) {
	if err := ctx.Err(); err != nil {
		return connectors.More, err
	}
	if err := p.r.Read(dst, vector.MaxRows-dst.N); err != nil {
		return connectors.More, err
	}
	if p.r.Row() == p.r.Rows() {
		return connectors.End, nil
	}
	return connectors.More, nil
}

// Rejected returns nothing: the rows of a Parquet file are typed; a value out of its column's range ends the read.
func (p *parquetReader) Rejected() []connectors.Rejected { return nil }

// Position returns the number of rows read.
func (p *parquetReader) Position() connectors.Position { return place{offset: p.r.Row()}.encode() }

// Lag returns the rows ahead.
func (p *parquetReader) Lag() int64 { return p.r.Rows() - p.r.Row() }

// Close closes the file.
func (p *parquetReader) Close() error { return p.r.Close() }
