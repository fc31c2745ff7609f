// Package build turns physical plans into tasks: the only place that knows both sides.
//
// The plan is cut at its exchanges into fragments; each fragment becomes as many tasks as its input allows; routers and channels connect
// them. operators.go maps each kind of plan node to its operator.
package build
