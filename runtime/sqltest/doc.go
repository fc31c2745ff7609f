// Package sqltest runs SQL script tests: the language behind `millrace test`, described in README.md.
package sqltest
