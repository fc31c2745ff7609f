// Package bind resolves names and types: syntax trees become logical plans.
//
// Every error it returns for bad SQL is a *diag.Error at the byte that is wrong, with the nearest name as a hint where there is one.
// Views are expanded in place. What a connector can do is asked through the interface Connectors, which the engine implements: the
// planner imports no connector.
package bind
