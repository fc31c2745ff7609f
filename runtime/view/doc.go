// Package view keeps the rows of materialised views readable: a table of committed rows per view, snapshots of it, and subscriptions to
// its changes. Rows appear at the commit of their epoch, never before, so that a reader never sees what a crash could take back.
package view
