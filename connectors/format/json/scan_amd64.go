package json

// plainBlocks looks at blocks of 16 bytes from i on, with the vector instructions that every amd64 has. It returns the index of the first
// byte that needs a look, or, when no whole block is left, where the next one would begin. 0 <= i <= len(src).
//
//go:noescape
func plainBlocks(src []byte, i int) int
