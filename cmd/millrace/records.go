package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/connectors/kafka/admin"
)

// maxLine bounds one line of standard input, which becomes one record.
const maxLine = 64 << 20

// defaultRecordFormat prints values only, as kcat does.
const defaultRecordFormat = `%v\n`

const formatHelp = `Tokens of --format, as of kcat and rpk:
  %t topic  %p partition  %o offset  %T timestamp (ms)  %d timestamp (RFC 3339)
  %k key    %v %s value   %K length of the key  %V %S length of the value (-1: null)  %h headers
  %% a percent sign; \n \t \r \0 \\`

func newTopicConsume(f *clusterFlags) *cobra.Command {
	var o admin.ConsumeOptions
	var from, format string
	var timeout time.Duration
	c := &cobra.Command{Use: "consume TOPIC...", Short: "Print the records of topics, then wait for more", Args: cobra.MinimumNArgs(1),
		Long: "Prints the records of topics as they come, until Ctrl-C or a bound.\n\n" + formatHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Topics = args
			var err error
			if o.From, err = admin.ParsePosition(from, time.Now()); err != nil {
				return clusterError(err)
			}
			pieces, err := parseRecordFormat(format)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			return f.with(ctx, func(c *admin.Client) error { return consume(ctx, c, f, o, pieces) })
		}}
	fl := c.Flags()
	fl.StringVarP(&from, "offset", "o", "start", "where to begin: start, end, an offset, -10 for the last ten of each partition, @TIME")
	fl.StringVarP(&format, "format", "f", defaultRecordFormat, "how to print a record")
	fl.Int64VarP(&o.Limit, "num", "n", 0, "stop after this many records")
	fl.Int32VarP(&o.Partition, "partition", "p", -1, "only this partition")
	fl.BoolVarP(&o.UntilEnd, "exit", "e", false, "stop at the end of what is there now")
	fl.BoolVar(&o.Uncommitted, "read-uncommitted", false, "also records of transactions that are open or aborted")
	fl.DurationVar(&timeout, "timeout", 0, "stop after this long; exit code 5 when --num was not reached")
	return c
}

// consume prints records. A time-out is an error only for somebody who waits for a number of records.
func consume(ctx context.Context, c *admin.Client, f *clusterFlags, o admin.ConsumeOptions, pieces []piece) error {
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	live := !o.UntilEnd
	n, err := c.Consume(ctx, o, func(r *admin.Record) error {
		var err error
		if f.json {
			err = writeRecordJSON(out, r)
		} else {
			_, err = out.Write(appendRecord(out.AvailableBuffer(), pieces, r))
		}
		if err == nil && live {
			err = out.Flush()
		}
		return err
	})
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	switch {
	case errors.Is(err, syscall.EPIPE):
		return nil // the reader has seen enough
	case errors.Is(err, context.DeadlineExceeded) && o.Limit == 0:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return failed(exitTimeout, "timed out after %d of %d records", n, o.Limit)
	}
	return err
}

// piece is a token of a format, or text between tokens.
type piece struct {
	text  string
	token byte // 0: text
}

// recordTokens are the tokens known, each with how it prints.
var recordTokens = map[byte]func(dst []byte, r *admin.Record) []byte{
	't': func(dst []byte, r *admin.Record) []byte { return append(dst, r.Topic...) },
	'p': func(dst []byte, r *admin.Record) []byte { return strconv.AppendInt(dst, int64(r.Partition), 10) },
	'o': func(dst []byte, r *admin.Record) []byte { return strconv.AppendInt(dst, r.Offset, 10) },
	'T': func(dst []byte, r *admin.Record) []byte { return strconv.AppendInt(dst, r.Time.UnixMilli(), 10) },
	'd': func(dst []byte, r *admin.Record) []byte { return r.Time.AppendFormat(dst, time.RFC3339Nano) },
	'k': func(dst []byte, r *admin.Record) []byte { return append(dst, r.Key...) },
	'v': func(dst []byte, r *admin.Record) []byte { return append(dst, r.Value...) },
	's': func(dst []byte, r *admin.Record) []byte { return append(dst, r.Value...) },
	'K': func(dst []byte, r *admin.Record) []byte { return appendLength(dst, r.Key) },
	'V': func(dst []byte, r *admin.Record) []byte { return appendLength(dst, r.Value) },
	'S': func(dst []byte, r *admin.Record) []byte { return appendLength(dst, r.Value) },
	'h': appendHeaders,
}

func appendLength(dst, b []byte) []byte {
	if b == nil {
		return append(dst, "-1"...)
	}
	return strconv.AppendInt(dst, int64(len(b)), 10)
}

func appendHeaders(dst []byte, r *admin.Record) []byte {
	for i, h := range r.Headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, h.Key...), '='), h.Value...)
	}
	return dst
}

// escapes are the characters behind a backslash.
var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '0': 0, '\\': '\\'}

// parseRecordFormat reads a --format.
func parseRecordFormat(format string) ([]piece, error) {
	var out []piece
	var text []byte
	for i := 0; i < len(format); i++ {
		c := format[i]
		if (c != '%' && c != '\\') || i+1 == len(format) {
			if c == '%' {
				return nil, failed(exitUsage, "--format ends in a single %%")
			}
			text = append(text, c)
			continue
		}
		i++
		next := format[i]
		if esc, ok := escapes[next]; c == '\\' {
			if !ok {
				return nil, failed(exitUsage, "unknown escape '\\%c' in --format", next)
			}
			text = append(text, esc)
			continue
		}
		if next == '%' {
			text = append(text, '%')
			continue
		}
		if recordTokens[next] == nil {
			return nil, failed(exitUsage, "unknown token '%%%c' in --format\n%s", next, formatHelp)
		}
		out = append(out, piece{text: string(text)}, piece{token: next})
		text = nil
	}
	return append(out, piece{text: string(text)}), nil
}

func appendRecord(dst []byte, pieces []piece, r *admin.Record) []byte {
	for _, p := range pieces {
		if p.token == 0 {
			dst = append(dst, p.text...)
		} else {
			dst = recordTokens[p.token](dst, r)
		}
	}
	return dst
}

// jsonRecord is a record as JSON. Bytes that are not UTF-8 go into the fields with base64.
type jsonRecord struct {
	Topic     string       `json:"topic"`
	Partition int32        `json:"partition"`
	Offset    int64        `json:"offset"`
	Timestamp string       `json:"timestamp"`
	Key       *string      `json:"key"`
	KeyB64    []byte       `json:"key_base64,omitempty"`
	Value     *string      `json:"value"`
	ValueB64  []byte       `json:"value_base64,omitempty"`
	Headers   []jsonHeader `json:"headers,omitempty"`
}

type jsonHeader struct {
	Key      string  `json:"key"`
	Value    *string `json:"value"`
	ValueB64 []byte  `json:"value_base64,omitempty"`
}

func writeRecordJSON(w io.Writer, r *admin.Record) error {
	j := jsonRecord{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Time.Format(time.RFC3339Nano)}
	j.Key, j.KeyB64 = textOrBytes(r.Key)
	j.Value, j.ValueB64 = textOrBytes(r.Value)
	for _, h := range r.Headers {
		jh := jsonHeader{Key: h.Key}
		jh.Value, jh.ValueB64 = textOrBytes(h.Value)
		j.Headers = append(j.Headers, jh)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(j)
}

func textOrBytes(b []byte) (*string, []byte) {
	if b == nil {
		return nil, nil
	}
	if !utf8.Valid(b) {
		return nil, b
	}
	s := string(b)
	return &s, nil
}

// produceFlags say how lines become records.
type produceFlags struct {
	key, separator string
	keyed          bool // --key was given
	headers        []string
	parsed         []admin.Header
	partition      int32
	emptyIsNull    bool
	codec          string
}

func newTopicProduce(f *clusterFlags) *cobra.Command {
	var p produceFlags
	c := &cobra.Command{Use: "produce TOPIC", Short: "Write the lines of standard input as records", Args: cobra.ExactArgs(1),
		Long: "Writes each line of standard input as a record and waits until all are acknowledged by all replicas.",
		RunE: func(cmd *cobra.Command, args []string) error {
			p.keyed = cmd.Flags().Changed("key")
			if p.keyed && p.separator != "" {
				return failed(exitUsage, "--key and --key-separator exclude each other")
			}
			var err error
			if p.parsed, err = parseHeaders(p.headers); err != nil {
				return err
			}
			return f.with(cmd.Context(), func(c *admin.Client) error { return produce(cmd.Context(), c, f, args[0], &p) })
		}}
	fl := c.Flags()
	fl.StringVarP(&p.separator, "key-separator", "K", "", "what ends the key at the beginning of each line (\\t: tab); a line without it has no key")
	fl.StringVarP(&p.key, "key", "k", "", "key of all records")
	fl.StringArrayVarP(&p.headers, "header", "H", nil, "header of all records, NAME=VALUE; may be repeated")
	fl.Int32VarP(&p.partition, "partition", "p", -1, "partition of all records (-1: by their key)")
	fl.BoolVarP(&p.emptyIsNull, "tombstone", "Z", false, "an empty value is a null, which deletes its key from a compacted topic")
	fl.StringVarP(&p.codec, "compression", "z", "none", "none, gzip, snappy, lz4 or zstd")
	return c
}

func parseHeaders(list []string) ([]admin.Header, error) {
	var out []admin.Header
	for _, item := range list {
		pair, err := parsePairs([]string{item})
		if err != nil {
			return nil, err
		}
		for k, v := range pair {
			out = append(out, admin.Header{Key: k, Value: []byte(v)})
		}
	}
	return out, nil
}

func produce(ctx context.Context, c *admin.Client, f *clusterFlags, topic string, o *produceFlags) error {
	out := bufio.NewWriter(os.Stdout)
	opt := admin.ProduceOptions{Topic: topic, Codec: o.codec}
	if f.json {
		opt.Done = func(r *admin.Record) { _ = writeRecordJSON(out, r) } // the producer calls it from one place at a time
	}
	p, err := c.NewProducer(ctx, opt)
	if err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 64<<10), maxLine)
	separator := unescape(o.separator)
	for err == nil && in.Scan() {
		r := o.record(in.Bytes(), separator)
		err = p.Produce(ctx, r)
	}
	if err == nil && in.Err() != nil {
		err = fmt.Errorf("reading standard input: %w", in.Err())
	}
	n, cerr := p.Close(ctx)
	if err == nil {
		err = cerr
	}
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	if err == nil || n > 0 {
		fmt.Fprintf(os.Stderr, "%d records acknowledged\n", n)
	}
	return err
}

// record makes a record of a line, with bytes of its own.
func (o *produceFlags) record(line, separator []byte) admin.Record {
	r := admin.Record{Partition: o.partition, Headers: o.parsed}
	if o.keyed {
		r.Key = []byte(o.key)
	}
	if len(separator) > 0 {
		if k, v, ok := bytes.Cut(line, separator); ok {
			r.Key, line = append([]byte{}, k...), v
		}
	}
	if len(line) > 0 || !o.emptyIsNull {
		r.Value = append([]byte{}, line...)
	}
	return r
}

// unescape replaces \t and its like; unknown ones stay.
func unescape(s string) []byte {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if c, ok := escapes[s[i+1]]; ok {
				out = append(out, c)
				i++
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}
