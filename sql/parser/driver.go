package parser

import (
	"io"
	"strings"

	tast "github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/format"
)

// TiDB's parser asks its host for the representation of literals. Ours keeps the text: decimals of any length are legal here and
// judged by the binder.

type (
	decimalText string // a decimal, or an integer beyond 64 bits
	rawBytes    string // x'0a', b'01'
)

// ToString implements what the grammar wants of a bit literal.
func (b rawBytes) ToString() string { return string(b) }

func init() {
	tast.NewValueExpr = func(v any, charset, collate string) tast.ValueExpr {
		if e, ok := v.(*literal); ok {
			return e
		}
		return &literal{value: v}
	}
	tast.NewParamMarkerExpr = func(offset int) tast.ParamMarkerExpr { return &param{offset: offset} }
	tast.NewDecimal = func(s string) (any, error) { return decimalText(s), nil }
	tast.NewHexLiteral = func(s string) (any, error) { return decodeHex(s), nil }
	tast.NewBitLiteral = func(s string) (any, error) { return decodeBits(s), nil }
}

type literal struct {
	tast.TexprNode
	value      any
	projection int
}

func (n *literal) SetValue(v any) { n.value = v }
func (n *literal) GetValue() any  { return n.value }
func (n *literal) GetString() string {
	switch v := n.value.(type) {
	case string:
		return v
	case rawBytes:
		return string(v)
	}
	return ""
}
func (n *literal) GetDatumString() string           { return n.GetString() }
func (n *literal) GetProjectionOffset() int         { return n.projection }
func (n *literal) SetProjectionOffset(offset int)   { n.projection = offset }
func (n *literal) Restore(*format.RestoreCtx) error { return nil }
func (n *literal) Format(io.Writer)                 {}
func (n *literal) Accept(v tast.Visitor) (tast.Node, bool) {
	m, _ := v.Enter(n)
	return v.Leave(m)
}

type param struct {
	literal
	offset int
}

func (n *param) SetOrder(int) {}
func (n *param) Accept(v tast.Visitor) (tast.Node, bool) {
	m, _ := v.Enter(n)
	return v.Leave(m)
}

// decodeHex turns 0x1F and x'1f' into bytes; an odd digit count gets a leading zero.
func decodeHex(s string) rawBytes {
	d := strings.Trim(s[1:], "xX'")
	if len(d)%2 == 1 {
		d = "0" + d
	}
	out := make([]byte, len(d)/2)
	for i := range out {
		out[i] = hexDigit(d[2*i])<<4 | hexDigit(d[2*i+1])
	}
	return rawBytes(out)
}

func hexDigit(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// decodeBits turns 0b01 and b'01' into bytes, big end first.
func decodeBits(s string) rawBytes {
	d := strings.Trim(s[1:], "bB'")
	d = strings.Repeat("0", (8-len(d)%8)%8) + d
	out := make([]byte, len(d)/8)
	for i, c := range []byte(d) {
		out[i/8] = out[i/8]<<1 | (c - '0')
	}
	return rawBytes(out)
}
