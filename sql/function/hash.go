package function

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/adler32"
	"hash/fnv"
	"math/bits"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// hashFuncs is the table of hash functions of bytes and what is cryptographic.
func hashFuncs() []*Func {
	all := []*Func{
		hexHash("sha224(s)", "The SHA-224 hash in hexadecimal.", func(dst, s []byte) []byte { h := sha256.Sum224(s); return hex.AppendEncode(dst, h[:]) }, "left(sha224('a'), 16)", "abd37534c7d9a2ef"),
		hexHash("sha256(s)", "The SHA-256 hash in hexadecimal.", func(dst, s []byte) []byte { h := sha256.Sum256(s); return hex.AppendEncode(dst, h[:]) }, "left(sha256('a'), 16)", "ca978112ca1bbdca"),
		hexHash("sha384(s)", "The SHA-384 hash in hexadecimal.", func(dst, s []byte) []byte { h := sha512.Sum384(s); return hex.AppendEncode(dst, h[:]) }, "left(sha384('a'), 16)", "54a59b9f22b0b808"),
		hexHash("sha512(s)", "The SHA-512 hash in hexadecimal.", func(dst, s []byte) []byte { h := sha512.Sum512(s); return hex.AppendEncode(dst, h[:]) }, "left(sha512('a'), 16)", "1f40fc92da241694"),
		def("hmac(algorithm, key, s)", "The keyed hash of s (RFC 2104) in hexadecimal; algorithm is 'md5', 'sha1', 'sha224', 'sha256', 'sha384' or 'sha512'.", bindHMAC,
			"hmac('sha256', 'key', 'The quick brown fox jumps over the lazy dog')", "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8", "hmac('md5', 'key', NULL)", "NULL"),
		intHash("xxhash64(s)", "The 64-bit xxHash of the bytes (seed 0).", tUint, xxhash.Sum64, "hex(xxhash64('a'))", "D24EC4F1A98C6E5B"),
		intHash("fnv1a64(s)", "The 64-bit FNV-1a hash of the bytes.", tUint, fnv1a64, "hex(fnv1a64('a'))", "AF63DC4C8601EC8C"),
		intHash("murmur3_32(s)", "The 32-bit MurmurHash3 of the bytes (seed 0).", types.Of(types.Uint32), func(s []byte) uint64 { return uint64(murmur32(s, 0)) }, "murmur3_32('hello')", "613153351"),
		intHash("murmur3(s)", "The first 64 bits of the 128-bit MurmurHash3 (x64, seed 0) of the bytes.", tUint, murmur64, "hex(murmur3('hello'))", "CBD8A7B341BD9B02"),
		intHash("adler32(s)", "The Adler-32 checksum of the bytes (RFC 1950).", types.Of(types.Uint32), func(s []byte) uint64 { return uint64(adler32.Checksum(s)) }, "adler32('Wikipedia')", "300286872"),
		def("random_bytes(n)", "n random bytes, 1 to 1024; NULL for other n. They differ after a replay.", fixed(tBytes, kernelRandomBytes, tInt), "length(random_bytes(16))", "16", "random_bytes(0)", "NULL").volatile(),
	}
	all = append(append(all, cipherFuncs()...), compressFuncs()...)
	return family("hash", all...)
}

func hexHash(signature, doc string, f func(dst, s []byte) []byte, examples ...string) *Func {
	return def(signature, doc, fixed(tText, mapText(f), tBytes), examples...)
}

func intHash(signature, doc string, ret types.Type, f func(s []byte) uint64, examples ...string) *Func {
	return def(signature, doc, fixed(ret, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return int64(f(a[0].Bytes(i))), true }), tBytes), examples...)
}

var hmacHashes = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

func bindHMAC(args []Arg) (Bound, error) {
	want, err := match(args, 3, []types.Type{tText, tBytes, tBytes})
	if err != nil {
		return Bound{}, err
	}
	name, _ := constText(args[0])
	algorithm := hmacHashes[strings.ToLower(name)]
	if algorithm == nil {
		return Bound{}, fmt.Errorf("argument 1 must be the constant 'md5', 'sha1', 'sha224', 'sha256', 'sha384' or 'sha512'")
	}
	return Bound{Ret: tText, ArgTypes: want, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		var last hash.Hash // for the key of the row before: keys seldom change
		var key, sum []byte
		for i := range n {
			if k := a[1].Bytes(i); last == nil || string(key) != string(k) {
				key = append(key[:0], k...)
				last = hmac.New(algorithm, key)
			}
			last.Reset()
			last.Write(a[2].Bytes(i))
			sum = last.Sum(sum[:0])
			out.Data = hex.AppendEncode(out.Data, sum)
			out.EndBytes()
		}
	}}, nil
}

func fnv1a64(s []byte) uint64 {
	h := fnv.New64a()
	h.Write(s)
	return h.Sum64()
}

const (
	murmurA = 0xcc9e2d51
	murmurB = 0x1b873593
)

// murmur32 is MurmurHash3_x86_32.
func murmur32(s []byte, seed uint32) uint32 {
	h, size := seed, len(s)
	for ; len(s) >= 4; s = s[4:] {
		k := binary.LittleEndian.Uint32(s) * murmurA
		h ^= bits.RotateLeft32(k, 15) * murmurB
		h = bits.RotateLeft32(h, 13)*5 + 0xe6546b64
	}
	tail := uint32(0)
	for i := len(s) - 1; i >= 0; i-- {
		tail = tail<<8 | uint32(s[i])
	}
	if len(s) > 0 {
		h ^= bits.RotateLeft32(tail*murmurA, 15) * murmurB
	}
	h ^= uint32(size)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// murmur64 is the first half of MurmurHash3_x64_128.
func murmur64(s []byte) uint64 {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	var h1, h2 uint64
	size := uint64(len(s))
	for ; len(s) >= 16; s = s[16:] {
		h1 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(s)*c1, 31) * c2
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(s[8:])*c2, 33) * c1
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var room [16]byte
	copy(room[:], s)
	if len(s) > 8 {
		h2 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(room[8:])*c2, 33) * c1
	}
	if len(s) > 0 {
		h1 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(room[:])*c1, 31) * c2
	}
	h1, h2 = h1^size, h2^size
	h1 += h2
	h2 += h1
	h1, h2 = murmurMix(h1), murmurMix(h2)
	return h1 + h2
}

func murmurMix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// maxRandomBytes is MySQL's limit.
const maxRandomBytes = 1024

func kernelRandomBytes(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		want := a[0].I64[i]
		if want < 1 || want > maxRandomBytes {
			out.AppendNull()
			continue
		}
		at := len(out.Data)
		for range want {
			out.Data = append(out.Data, 0)
		}
		rand.Read(out.Data[at:])
		out.EndBytes()
	}
}
