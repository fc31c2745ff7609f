// Package nexmark generates the events of the Nexmark benchmark, an auction house: of 50 events one is a new person, three are new
// auctions, 46 are bids. Event n follows from the seed and n alone. Ids grow with time, bids prefer recent ("hot") auctions and bidders.
package nexmark
