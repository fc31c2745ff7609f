// Package repl is the interactive SQL shell: prompt, statements over several lines, completion, history, meta commands.
package repl
