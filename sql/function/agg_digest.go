package function

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/millrace/millrace/sql/vector"
)

// digestAggs are the quantiles in bounded memory.
func digestAggs() []*Agg {
	const doc = " by a t-digest in bounded memory: the rank is wrong by less than 1.6 % in the middle and by far less at the ends. Over a stream that takes rows back it is exact, with all values kept."
	return []*Agg{
		agg("approx_percentile(x, fraction)", "About the value below which a fraction (constant, 0 to 1) of the values lies,"+doc, bindDigest(0), "approx_percentile(x, f) of (1, 0.5), (2, 0.5), (3, 0.5)", "2", "approx_percentile(x, f) of (NULL, 0.5)", "NULL").alias("approx_quantile", "percentile_approx").orderedSet(),
		agg("approx_median(x)", "About the median,"+doc, bindDigest(0.5), "approx_median(x) of 1, 2, 3", "2"),
	}
}

// Sizes of a digest.
const (
	digestCompression = 200 // centroids are at most half as many again
	digestBuffer      = 1024
	maxCentroids      = 4 * digestCompression
)

type centroid struct{ mean, weight float64 }

// digest is a merging t-digest (Dunning & Ertl, Computing extremely accurate quantiles using t-digests, 2019) with the scale function
// k1: a centroid's weight is bounded by its distance from the ends, so that these are exact.
type digest struct {
	centroids []centroid // ascending
	buffer    []float64  // not yet merged
	weight    float64    // of the centroids
	min, max  float64
}

func (d *digest) add(x float64, scratch *[]centroid) {
	if d.weight == 0 && len(d.buffer) == 0 {
		d.min, d.max = x, x
	}
	d.min, d.max = min(d.min, x), max(d.max, x)
	if d.buffer = append(d.buffer, x); len(d.buffer) >= digestBuffer {
		d.flush(scratch)
	}
}

// flush merges the buffer into the centroids.
func (d *digest) flush(scratch *[]centroid) {
	if len(d.buffer) == 0 {
		return
	}
	slices.Sort(d.buffer)
	d.weight += float64(len(d.buffer))
	next := (*scratch)[:0]
	var cur centroid
	done, limit := 0.0, d.weight*scaleLimit(0)
	i, j := 0, 0
	for i < len(d.centroids) || j < len(d.buffer) {
		var c centroid
		if j == len(d.buffer) || i < len(d.centroids) && d.centroids[i].mean <= d.buffer[j] {
			c = d.centroids[i]
			i++
		} else {
			c = centroid{d.buffer[j], 1}
			j++
		}
		switch {
		case cur.weight == 0:
			cur = c
		case done+cur.weight+c.weight <= limit:
			cur.weight += c.weight
			cur.mean += (c.mean - cur.mean) * c.weight / cur.weight
		default:
			next = append(next, cur)
			done += cur.weight
			limit = d.weight * scaleLimit(done/d.weight)
			cur = c
		}
	}
	next = append(next, cur)
	*scratch, d.centroids, d.buffer = d.centroids, next, d.buffer[:0]
}

// scaleLimit is the quantile up to which a centroid that begins at q may reach: one step of k1(q) = c/2π asin(2q-1).
func scaleLimit(q float64) float64 {
	k := math.Asin(2*min(q, 1)-1) + 2*math.Pi/digestCompression
	if k >= math.Pi/2 {
		return 1
	}
	return (math.Sin(k) + 1) / 2
}

// quantile interpolates between the middles of neighbouring centroids.
func (d *digest) quantile(q float64) float64 {
	rank := q * d.weight
	if len(d.centroids) == 1 {
		return d.centroids[0].mean
	}
	if rank <= 0.5 {
		return d.min
	}
	if rank >= d.weight-0.5 {
		return d.max
	}
	left, leftRank := d.min, 0.5
	done := 0.0
	for _, c := range d.centroids {
		middle := done + c.weight/2
		if c.weight == 1 {
			middle = done + 0.5
		}
		if rank < middle {
			if middle == leftRank {
				return c.mean
			}
			return left + (c.mean-left)*(rank-leftRank)/(middle-leftRank)
		}
		left, leftRank = c.mean, middle
		done += c.weight
	}
	return left + (d.max-left)*(rank-leftRank)/max(d.weight-0.5-leftRank, 1e-9)
}

func bindDigest(fraction float64) func([]Arg) (BoundAgg, error) {
	exact := bindQuantile(fraction, true)
	return func(args []Arg) (BoundAgg, error) {
		bound, err := exact(args)
		if err != nil {
			return bound, err
		}
		at := fraction
		if at == 0 {
			at, _ = fractionArg(args[1])
		}
		keepAll := bound.NewState
		bound.NewState = func(retract bool) AggState {
			if retract {
				return keepAll(true)
			}
			return &digestState{fraction: at}
		}
		return bound, nil
	}
}

type digestState struct {
	fraction float64
	groups   []digest
	scratch  []centroid
}

func (s *digestState) Grow(groups int) { s.groups = growTo(s.groups, groups) }

func (s *digestState) Clear(group int) {
	d := &s.groups[group]
	*d = digest{centroids: d.centroids[:0], buffer: d.buffer[:0]}
}

func (s *digestState) Add(gids, rows []int32, _ []vector.Change, args []*vector.Vector) error {
	v := args[0]
	for k, g := range gids {
		if i := rowAt(rows, k); !v.IsNull(i) && !math.IsNaN(v.F64[i]) {
			s.groups[g].add(v.F64[i], &s.scratch)
		}
	}
	return nil
}

func (s *digestState) Emit(group int, out *vector.Vector) {
	d := &s.groups[group]
	if d.flush(&s.scratch); d.weight == 0 {
		out.AppendNull()
		return
	}
	out.AppendF64(d.quantile(s.fraction))
}

func (s *digestState) Encode(group int, dst []byte) []byte {
	d := &s.groups[group]
	d.flush(&s.scratch)
	dst = appendFloats(binary.AppendUvarint(dst, uint64(len(d.centroids))), d.min, d.max)
	for _, c := range d.centroids {
		dst = appendFloats(dst, c.mean, c.weight)
	}
	return dst
}

func (s *digestState) Decode(group int, data []byte) ([]byte, error) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > maxCentroids {
		return nil, errState
	}
	s.Clear(group)
	d := &s.groups[group]
	rest, err := readFloats(data[n:], &d.min, &d.max)
	for range size {
		var c centroid
		if err == nil {
			rest, err = readFloats(rest, &c.mean, &c.weight)
		}
		if err != nil || !(c.weight > 0) {
			return nil, errState
		}
		d.weight += c.weight
		d.centroids = append(d.centroids, c)
	}
	return rest, err
}
