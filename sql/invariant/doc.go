// Package invariant holds checks that exist only under the build tag `invariants`, which every test run sets.
package invariant
