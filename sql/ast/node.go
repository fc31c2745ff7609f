package ast

// Pos is the byte offset of a node's first character in the source text.
type Pos int

// At returns the offset; embedding Pos gives a node its position.
func (p Pos) At() int { return int(p) }

// Node is anything in the tree.
type Node interface{ At() int }

// Statement is a whole statement.
type Statement interface {
	Node
	stmt()
}

// Expr is a scalar, aggregate or window expression.
type Expr interface {
	Node
	expr()
}

// TableExpr is what may stand in FROM.
type TableExpr interface {
	Node
	table()
}

// Name is an identifier with its position. Names compare case-insensitively; the text keeps the user's spelling.
type Name struct {
	Pos
	Text string
}

// Option is one `key = value` of a WITH clause. Value holds the literal's text without quotes: `'10s'`, 5 and true all arrive as text.
type Option struct {
	Pos
	Key      string
	Value    string
	ValuePos Pos
}
