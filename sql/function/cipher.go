package function

import (
	"bytes"
	"compress/zlib"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// cipherFuncs is AES as MySQL has it.
func cipherFuncs() []*Func {
	return []*Func{
		def("aes_encrypt(s, key) | aes_encrypt(s, key, iv, mode)", "s encrypted with AES as MySQL does: mode is 'aes-128-ecb' (unless given) or 128, 192, 256 with ecb or cbc; keys are folded to the mode's size, cbc needs an iv of 16 bytes. ecb shows which blocks are equal: prefer cbc.", bindAES(true),
			"hex(aes_encrypt('text', 'password'))", "F6BD0FA8DCB7F8CD4A2FAABC54668044", "aes_encrypt(NULL, 'k')", "NULL"),
		def("aes_decrypt(s, key) | aes_decrypt(s, key, iv, mode)", "What aes_encrypt has encrypted with the same key; NULL when s is not that.", bindAES(false), "aes_decrypt(aes_encrypt('text', 'password'), 'password')", "text",
			"aes_decrypt(aes_encrypt('abc', 'k', '0123456789abcdef', 'aes-256-cbc'), 'k', '0123456789abcdef', 'aes-256-cbc')", "abc", "aes_decrypt('x', 'k')", "NULL"),
	}
}

// aesMode reads aes-KEYBITS-ecb|cbc.
func aesMode(name string) (keySize int, cbc bool, err error) {
	sizes := map[string]int{"128": 16, "192": 24, "256": 32}
	parts := strings.Split(strings.ToLower(name), "-")
	if len(parts) == 3 && parts[0] == "aes" && sizes[parts[1]] > 0 && (parts[2] == "ecb" || parts[2] == "cbc") {
		return sizes[parts[1]], parts[2] == "cbc", nil
	}
	return 0, false, fmt.Errorf("argument 4 must be a constant such as 'aes-256-cbc', not %q", name)
}

func bindAES(encrypt bool) binder {
	return func(args []Arg) (Bound, error) {
		want, err := match(args, 2, []types.Type{tBytes, tBytes, tBytes, tText})
		if err != nil {
			return Bound{}, err
		}
		size, cbc := 16, false
		if len(args) > 2 {
			mode := ""
			if len(args) == 4 {
				mode, _ = constText(args[3])
			}
			if size, cbc, err = aesMode(mode); err != nil {
				return Bound{}, err
			}
		}
		work := aesDecrypt
		if encrypt {
			work = aesEncrypt
		}
		return Bound{Ret: tBytes, ArgTypes: want, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			var block cipher.Block // for the key of the row before
			var key []byte
			for i := range n {
				if k := a[1].Bytes(i); block == nil || !bytes.Equal(key, k) {
					key = append(key[:0], k...)
					block = foldedCipher(key, size)
				}
				var iv []byte
				if cbc {
					if iv = a[2].Bytes(i); len(iv) < aes.BlockSize {
						out.AppendNull()
						continue
					}
				}
				var ok bool
				if out.Data, ok = work(out.Data, a[0].Bytes(i), block, iv); !ok {
					out.AppendNull()
					continue
				}
				out.EndBytes()
			}
		}}, nil
	}
}

// foldedCipher makes a key of the right size as MySQL does: the bytes beyond are XORed onto the beginning.
func foldedCipher(key []byte, size int) cipher.Block {
	folded := make([]byte, size)
	for i, c := range key {
		folded[i%size] ^= c
	}
	block, _ := aes.NewCipher(folded) // the size is right
	return block
}

// aesEncrypt appends s, padded (PKCS 7) and encrypted; iv nil is ECB.
func aesEncrypt(dst, s []byte, block cipher.Block, iv []byte) ([]byte, bool) {
	at := len(dst)
	dst = append(dst, s...)
	pad := aes.BlockSize - len(s)%aes.BlockSize
	for range pad {
		dst = append(dst, byte(pad))
	}
	for b := dst[at:]; len(b) > 0; b = b[aes.BlockSize:] {
		for k := range iv[:min(len(iv), aes.BlockSize)] {
			b[k] ^= iv[k]
		}
		block.Encrypt(b[:aes.BlockSize], b[:aes.BlockSize])
		if iv != nil {
			iv = b[:aes.BlockSize]
		}
	}
	return dst, true
}

// aesDecrypt is the inverse; false when the padding is wrong.
func aesDecrypt(dst, s []byte, block cipher.Block, iv []byte) ([]byte, bool) {
	at := len(dst)
	if len(s) == 0 || len(s)%aes.BlockSize != 0 {
		return dst, false
	}
	dst = append(dst, s...)
	for b := dst[at:]; len(b) > 0; b, s = b[aes.BlockSize:], s[aes.BlockSize:] {
		block.Decrypt(b[:aes.BlockSize], b[:aes.BlockSize])
		for k := range iv[:min(len(iv), aes.BlockSize)] {
			b[k] ^= iv[k]
		}
		if iv != nil {
			iv = s[:aes.BlockSize]
		}
	}
	pad := int(dst[len(dst)-1])
	if pad < 1 || pad > aes.BlockSize {
		return dst[:at], false
	}
	for _, c := range dst[len(dst)-pad:] {
		if int(c) != pad {
			return dst[:at], false
		}
	}
	return dst[:len(dst)-pad], true
}

// compressFuncs is zlib as MySQL has it: four bytes of length, then the stream.
func compressFuncs() []*Func {
	return []*Func{
		def("compress(s)", "s compressed with zlib behind its length in four bytes, as MySQL does.", fixed(tBytes, kernelCompress, tBytes), "uncompress(compress('aaaaaaaaaa'))", "aaaaaaaaaa", "length(compress(''))", "0"),
		def("uncompress(s)", "What compress has made; NULL when s is not that, or more than 16 MiB.", fixed(tBytes, kernelUncompress, tBytes), "uncompress(compress('stream'))", "stream", "uncompress('no zlib')", "NULL"),
		def("uncompressed_length(s)", "The length of what compress has compressed; 0 when s is not that.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			s := a[0].Bytes(i)
			if len(s) <= 4 {
				return 0, true
			}
			return int64(binary.LittleEndian.Uint32(s) & 0x3FFFFFFF), true
		}), tBytes), "uncompressed_length(compress(repeat('a', 30)))", "30"),
	}
}

// appender lets a writer append to a vector's buffer.
type appender struct{ buf []byte }

func (w *appender) Write(p []byte) (int, error) { w.buf = append(w.buf, p...); return len(p), nil }

func kernelCompress(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var w appender
	z := zlib.NewWriter(&w)
	for i := range n {
		s := a[0].Bytes(i)
		if len(s) > 0 {
			w.buf = binary.LittleEndian.AppendUint32(out.Data, uint32(len(s)))
			z.Reset(&w)
			z.Write(s) // an appender takes everything
			z.Close()
			out.Data = w.buf
			if out.Data[len(out.Data)-1] == ' ' { // CHAR columns would lose it
				out.Data = append(out.Data, '.')
			}
		}
		out.EndBytes()
	}
}

func kernelUncompress(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var in bytes.Reader
	var z io.ReadCloser
	var limit io.LimitedReader
	var buf bytes.Buffer
	for i := range n {
		s := a[0].Bytes(i)
		if len(s) == 0 {
			out.EndBytes()
			continue
		}
		ok := len(s) > 4 && binary.LittleEndian.Uint32(s)&0x3FFFFFFF <= maxTextBytes
		if ok {
			in.Reset(s[4:])
			var err error
			if z == nil {
				z, err = zlib.NewReader(&in)
			} else {
				err = z.(zlib.Resetter).Reset(&in, nil)
			}
			ok = err == nil
		}
		if ok {
			size := int64(binary.LittleEndian.Uint32(s) & 0x3FFFFFFF)
			limit.R, limit.N = z, size+1
			buf.Reset()
			got, err := buf.ReadFrom(&limit)
			ok = err == nil && got == size
		}
		if !ok {
			out.AppendNull()
			continue
		}
		out.AppendBytes(buf.Bytes())
	}
}
