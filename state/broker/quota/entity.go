package quota

import (
	"errors"
	"fmt"
	"math"
)

// ErrInvalid: an entity or a limit makes no sense; the text says why.
var ErrInvalid = errors.New("invalid quota")

// Kind is what a limit bounds.
type Kind int8

// The kinds.
const (
	Produce  Kind = iota // bytes per second written
	Fetch                // bytes per second read
	Request              // percent of one processor
	Mutation             // partitions created and deleted per second
	Connect              // connections per second from an address
	kinds
)

// Keys are the names of the kinds in the protocol.
var Keys = [kinds]string{"producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate", "connection_creation_rate"}

// ParseKey finds a kind by its name.
func ParseKey(key string) (Kind, error) {
	for k, name := range Keys {
		if name == key {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("%w: unknown key %q", ErrInvalid, key)
}

// Types of entities in the protocol.
const (
	TypeUser   = "user"
	TypeClient = "client-id"
	TypeIP     = "ip"
)

// Part is one half of an entity: not given, everybody who has no limit of their own (Default), or the one of that name.
type Part struct {
	Given   bool   `json:"given,omitempty"`
	Default bool   `json:"default,omitempty"`
	Name    string `json:"name,omitempty"`
}

// Named is the part of one name, Others the default.
func Named(name string) Part { return Part{Given: true, Name: name} }

// Others is the part for all that are not named.
func Others() Part { return Part{Given: true, Default: true} }

// Entity is whom a limit is about: a user, a client id, both together, or an address. It is comparable.
type Entity struct {
	User   Part `json:"user,omitzero"`
	Client Part `json:"client,omitzero"`
	IP     Part `json:"ip,omitzero"`
}

// maxName bounds the names in an entity.
const maxName = 255

// Check refuses entities that cannot be.
func (e Entity) Check() error {
	if !e.User.Given && !e.Client.Given && !e.IP.Given {
		return fmt.Errorf("%w: no user, client or address", ErrInvalid)
	}
	if e.IP.Given && (e.User.Given || e.Client.Given) {
		return fmt.Errorf("%w: an address together with a user or client", ErrInvalid)
	}
	for _, p := range []Part{e.User, e.Client, e.IP} {
		if p.Given && !p.Default && (p.Name == "" || len(p.Name) > maxName) {
			return fmt.Errorf("%w: name is empty or too long", ErrInvalid)
		}
	}
	return nil
}

// CheckLimit refuses a limit that does not fit the entity or is no positive number.
func (e Entity) CheckLimit(k Kind, v float64) error {
	if e.IP.Given != (k == Connect) {
		return fmt.Errorf("%w: %s does not apply to that entity", ErrInvalid, Keys[k])
	}
	if !(v > 0) || math.IsInf(v, 0) {
		return fmt.Errorf("%w: %s is %v", ErrInvalid, Keys[k], v)
	}
	return nil
}
