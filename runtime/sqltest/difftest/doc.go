// Package difftest has only tests: random expressions and queries whose answers a real MariaDB must share. README.md says how to run
// them and what is accepted as different.
package difftest
