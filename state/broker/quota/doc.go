// Package quota bounds what users and clients may take: which limit applies to whom, and how long somebody over it must wait
// (KIP-13, KIP-55, KIP-124, KIP-219, KIP-599).
//
// It is pure: no clock, no waiting. A Limiter is asked at each request and says how long the client is to be held back.
package quota
