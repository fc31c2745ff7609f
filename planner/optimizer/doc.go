// Package optimizer rewrites logical plans into better ones with the same meaning.
//
// rules.go is the ordered table of rules; each has a file of its own. A rule is a function from plan to plan. It may use what package
// props derives and must leave the output columns of the plan as they are.
package optimizer
