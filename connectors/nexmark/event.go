package nexmark

import (
	"strconv"

	"github.com/millrace/millrace/connectors/generate"
)

// The kinds of events, as event_type has them.
const (
	kindPerson = iota
	kindAuction
	kindBid
)

// The benchmark's constants: first ids, and how many of the latest persons and auctions take part.
const (
	firstPerson    = 1000
	firstAuction   = 1000
	firstCategory  = 10
	categories     = 5
	activePeople   = 1000
	inFlight       = 100
	hotRatio       = 100 // one in so many bids is not for a hot auction
	hotGroup       = 100
	channelCount   = 10_000
	auctionSeconds = 10
)

var (
	firstNames = []string{"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"}
	lastNames  = []string{"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"}
	cities     = []string{"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"}
	states     = []string{"AZ", "CA", "ID", "OR", "WA", "WY"}
	channels   = []string{"Google", "Facebook", "Baidu", "Apple"}
)

// event is one event; texts are reused from event to event.
type event struct {
	kind int
	time int64 // microseconds

	id, seller, category, initial, reserve, expires int64
	auction, bidder, price                          int64
	texts                                           [5][]byte // person: name, email, card, city, state; auction: item, description; bid: channel, url
	extra                                           []byte
}

// lastPerson and lastAuction are the newest when event n happens, counted from 0.
func lastPerson(n int64) int64 { return n / group }

func lastAuction(n int64) int64 {
	epoch, offset := n/group, n%group
	switch {
	case offset < persons:
		return epoch*auctions - 1
	case offset >= persons+auctions:
		return epoch*auctions + auctions - 1
	}
	return epoch*auctions + offset - persons
}

// make fills in event n.
func (e *event) make(seed, n, time int64) {
	r := generate.At(seed, n, 1)
	e.time = time
	switch offset := n % group; {
	case offset < persons:
		e.makePerson(&r, n)
	case offset < persons+auctions:
		e.makeAuction(&r, n)
	default:
		e.makeBid(&r, n)
	}
}

func pick(dst []byte, r *generate.Random, words []string) []byte {
	return append(dst[:0], words[r.Int(int64(len(words)))]...)
}

func (e *event) makePerson(r *generate.Random, n int64) {
	e.kind, e.id = kindPerson, firstPerson+lastPerson(n)
	name := append(pick(e.texts[0], r, firstNames), ' ')
	e.texts[0] = append(name, lastNames[r.Int(int64(len(lastNames)))]...)
	email := append(r.Letters(e.texts[1][:0], 7), '@')
	e.texts[1] = append(r.Letters(email, 5), ".com"...)
	card := e.texts[2][:0]
	for i := range 4 {
		if i > 0 {
			card = append(card, ' ')
		}
		card = strconv.AppendInt(card, 1000+r.Int(9000), 10)
	}
	e.texts[2] = card
	e.texts[3] = pick(e.texts[3], r, cities)
	e.texts[4] = pick(e.texts[4], r, states)
	e.extra = r.Letters(e.extra[:0], 40+int(r.Int(40)))
}

func (e *event) makeAuction(r *generate.Random, n int64) {
	e.kind, e.id = kindAuction, firstAuction+lastAuction(n)
	e.texts[0] = r.Letters(e.texts[0][:0], 10+int(r.Int(10)))
	e.texts[1] = r.Letters(e.texts[1][:0], 50+int(r.Int(50)))
	e.initial = price(r)
	e.reserve = e.initial + price(r)
	e.expires = e.time + (1+r.Int(2*auctionSeconds))*1e6
	e.seller = e.somePerson(r, n)
	e.category = firstCategory + r.Int(categories)
	e.extra = r.Letters(e.extra[:0], 150+int(r.Int(100)))
}

func (e *event) makeBid(r *generate.Random, n int64) {
	e.kind = kindBid
	last := lastAuction(n)
	if r.Int(hotRatio) > 0 {
		e.auction = last / hotGroup * hotGroup
	} else {
		e.auction = max(0, last-r.Int(inFlight))
	}
	e.auction += firstAuction
	e.bidder = e.somePerson(r, n)
	e.price = price(r)
	channel := r.Int(channelCount)
	if r.Int(2) == 0 {
		e.texts[0] = pick(e.texts[0], r, channels)
	} else {
		e.texts[0] = strconv.AppendInt(append(e.texts[0][:0], "channel-"...), channel, 10)
	}
	url := append(e.texts[1][:0], "https://www.nexmark.com/"...)
	for range 3 {
		url = append(r.Letters(url, 5), '/')
	}
	url = append(url, "item.htm?query=1&channel_id="...)
	e.texts[1] = strconv.AppendInt(url, channel, 10)
	e.extra = r.Letters(e.extra[:0], 60+int(r.Int(40)))
}

// somePerson is one of the latest, mostly a hot one.
func (e *event) somePerson(r *generate.Random, n int64) int64 {
	last := lastPerson(n)
	if r.Int(hotRatio) > 0 {
		return firstPerson + last/hotGroup*hotGroup
	}
	return firstPerson + max(0, last-r.Int(activePeople))
}

// price is spread evenly over the powers of ten from 1 to 10^6, in cents.
func price(r *generate.Random) int64 {
	p := int64(100)
	for range r.Int(6) {
		p *= 10
	}
	return p + r.Int(9*p)
}
