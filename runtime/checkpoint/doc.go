// Package checkpoint makes epochs atomic: a pure coordinator collects the acknowledgements of tasks into a commit, and the commit log makes
// it durable. The commit record is the truth; the keyed store, the views and the sinks follow it.
package checkpoint
