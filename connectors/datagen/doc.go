// Package datagen makes rows up for any schema: random values or sequences per column, at a given rate, always the same for the same
// seed. It is for trying queries and for load.
package datagen
