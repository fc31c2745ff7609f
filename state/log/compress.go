package log

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxDecompressedBytes bounds what one batch may unfold to, so that a small hostile batch cannot take the memory of the node.
const maxDecompressedBytes = 256 << 20

// maxSnappyRatio is above what the format can reach (64 bytes from 3), so a larger length in a block's head is a lie.
const maxSnappyRatio = 32

// ErrCodec is returned when a batch's codec cannot be opened here. Such batches are stored and served all the same; only
// the exact record behind a timestamp cannot be found inside them.
var ErrCodec = errors.New("compression codec is not readable by the broker")

// xerialMagic opens the framing Java's snappy library puts around its blocks.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

// decompress unfolds the records of a batch. Codec 0 returns body itself.
func decompress(codec int, body []byte) ([]byte, error) {
	switch codec {
	case 0:
		return body, nil
	case 1:
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return readBounded(r)
	case 2:
		return decodeSnappy(body)
	case 3:
		return readBounded(lz4.NewReader(bytes.NewReader(body)))
	case 4:
		d, err := zstdDecoders.get()
		if err != nil {
			return nil, err
		}
		defer zstdDecoders.pool.Put(d)
		return d.DecodeAll(body, nil)
	}
	return nil, fmt.Errorf("%w: %d", ErrCodec, codec)
}

func readBounded(r io.Reader) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(r, maxDecompressedBytes+1))
	if err == nil && len(out) > maxDecompressedBytes {
		return nil, fmt.Errorf("%w: batch unfolds beyond %d bytes", ErrInvalidBatch, maxDecompressedBytes)
	}
	return out, err
}

// decodeSnappy reads a bare snappy block, or the xerial sequence of blocks: 16 bytes of head, then (length, block) pairs.
func decodeSnappy(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, xerialMagic) {
		return snappyBlock(nil, body)
	}
	if len(body) < 16 {
		return nil, ErrShortBatch
	}
	var out []byte
	for b := body[16:]; len(b) > 0; {
		if len(b) < 4 {
			return nil, ErrShortBatch
		}
		n := int(binary.BigEndian.Uint32(b))
		if n < 0 || n > len(b)-4 {
			return nil, ErrShortBatch
		}
		var err error
		if out, err = snappyBlock(out, b[4:4+n]); err != nil {
			return nil, err
		}
		b = b[4+n:]
	}
	return out, nil
}

func snappyBlock(out, block []byte) ([]byte, error) {
	n, err := s2.DecodedLen(block)
	if err != nil {
		return nil, err
	}
	if n > maxSnappyRatio*len(block) {
		return nil, fmt.Errorf("%w: %d bytes cannot unfold to %d", ErrInvalidBatch, len(block), n)
	}
	if n+len(out) > maxDecompressedBytes {
		return nil, fmt.Errorf("%w: batch unfolds beyond %d bytes", ErrInvalidBatch, maxDecompressedBytes)
	}
	dec, err := s2.Decode(nil, block)
	if err != nil {
		return nil, err
	}
	return append(out, dec...), nil
}

// xerialBlock is the uncompressed size of the blocks we write inside the xerial framing.
const xerialBlock = 32 << 10

// Codecs keep large tables, so they are used again. Their zero state is that of a new one after Reset or between calls.
var (
	gzipWriters  = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}
	zstdDecoders = codecPool[*zstd.Decoder]{make: func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDecompressedBytes))
	}}
	zstdEncoders = codecPool[*zstd.Encoder]{make: func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	}}
)

// codecPool is a pool of things whose making can fail.
type codecPool[T any] struct {
	pool sync.Pool
	make func() (T, error)
}

func (p *codecPool[T]) get() (T, error) {
	if v, ok := p.pool.Get().(T); ok {
		return v, nil
	}
	return p.make()
}

// compress folds the records of a batch as clients do. Codec 0 returns body itself.
func compress(codec int, body []byte) ([]byte, error) {
	var buf bytes.Buffer
	var w io.WriteCloser
	switch codec {
	case 0:
		return body, nil
	case 1:
		z := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(z)
		z.Reset(&buf)
		w = z
	case 2:
		return encodeSnappy(body), nil
	case 3:
		w = lz4.NewWriter(&buf)
	case 4:
		e, err := zstdEncoders.get()
		if err != nil {
			return nil, err
		}
		defer zstdEncoders.pool.Put(e)
		return e.EncodeAll(body, nil), nil
	default:
		return nil, fmt.Errorf("%w: %d", ErrCodec, codec)
	}
	_, err := w.Write(body)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// encodeSnappy writes the xerial sequence of blocks, which every client reads.
func encodeSnappy(body []byte) []byte {
	out := append([]byte(nil), xerialMagic...)
	out = append(out, 0, 0, 0, 1, 0, 0, 0, 1)
	for len(body) > 0 {
		n := min(len(body), xerialBlock)
		block := s2.EncodeSnappy(nil, body[:n])
		out = binary.BigEndian.AppendUint32(out, uint32(len(block)))
		out = append(out, block...)
		body = body[n:]
	}
	return out
}
