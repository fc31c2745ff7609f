// Command tidy checks the house rules that the compiler does not: who may import whom, sizes, names, README.md files, the map.
//
//	go run ./cmd/tidy            check; one line "file:line: message" for each offence, exit code 1 when there is one
//	go run ./cmd/tidy -shrink    lower the numbers in ratchet.txt to what the tree has now; never raises one
//
// Each rule is one entry of the table checks in main.go and one file named after it.
package main
