// Package generate is the source below connectors that make their rows up (datagen, nexmark, taxi): splits, pace, end, positions. A
// generator says what row n is; rows must follow from their number and the start time alone, so that a reader can begin anywhere.
package generate
