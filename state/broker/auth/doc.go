// Package auth decides who a client is and what it may do: the server's side of SASL (PLAIN, SCRAM, OAUTHBEARER), names from TLS
// certificates, and access control lists by Kafka's rules.
//
// It is pure: no sockets, no files, no clock. A Mechanism is fed the client's messages and gives the answers; an Authorizer is asked.
package auth
