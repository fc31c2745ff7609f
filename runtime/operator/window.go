package operator

import (
	"fmt"
	"time"

	"github.com/millrace/millrace/sql/types"
)

// WindowKind is the shape of windows.
type WindowKind uint8

// The windows.
const (
	Tumble WindowKind = iota
	Hop
	Session
	Cumulate
)

// Window describes windows over event time; lengths in microseconds. Hop windows of Size start every Slide; cumulate windows grow by Slide up
// to Size; session windows end after Gap without a row. With Zone, windows longer than an hour follow the zone's calendar (a day has 23
// hours when the clocks change) and shorter ones its offset.
type Window struct {
	Kind                     WindowKind
	TimeCol                  int
	Size, Slide, Offset, Gap int64
	Zone                     *time.Location // nil: UTC
}

// WindowTimeType is the default type of window_start, window_end and window_time.
var WindowTimeType = types.Type{Kind: types.Timestamp, Precision: 3}

const (
	// maxWindowsPerRow bounds Size/Slide.
	maxWindowsPerRow = 10_000
	// beforeEnd is the distance of window_time from window_end: a window is complete when the watermark has reached
	// window_end - beforeEnd.
	beforeEnd   = 1000
	calendarMin = int64(time.Hour / time.Microsecond)
)

// closedBy tells whether the watermark closes a window that ends at end.
func closedBy(watermark, end int64) bool { return watermark >= end-beforeEnd }

// check says what is wrong with the window.
func (w Window) check() error {
	switch {
	case w.Kind == Session && w.Gap <= 0:
		return fmt.Errorf("session gap of %d us must be positive", w.Gap)
	case w.Kind == Session:
		return nil
	case w.Size <= 0:
		return fmt.Errorf("window size of %d us must be positive", w.Size)
	case w.Kind == Tumble:
		return nil
	case w.Slide <= 0 || w.Slide > w.Size && w.Kind == Cumulate:
		return fmt.Errorf("window slide of %d us must be positive and, for CUMULATE, at most the size", w.Slide)
	case w.Size/w.Slide > maxWindowsPerRow:
		return fmt.Errorf("a row would fall into %d windows, more than %d", w.Size/w.Slide, maxWindowsPerRow)
	case w.Kind == Cumulate && w.Size%w.Slide != 0:
		return fmt.Errorf("size of cumulate windows must be a multiple of the step")
	}
	return nil
}

// interval is [start, end).
type interval struct{ start, end int64 }

// assigner computes the windows of an event time.
type assigner struct {
	w    Window
	zone zone
}

func newAssigner(w Window) assigner { return assigner{w: w, zone: zone{loc: w.Zone}} }

// floorTo returns the largest multiple of step, shifted by offset, that is ≤ t.
func floorTo(t, step, offset int64) int64 {
	r := (t - offset) % step
	if r < 0 {
		r += step
	}
	return t - r
}

// assign appends the windows of t, by ascending end. t is within ±maxEventTime.
func (a *assigner) assign(dst []interval, t int64) []interval {
	if a.w.Zone == nil {
		return a.local(dst, t)
	}
	first := len(dst)
	if max(a.w.Size, a.w.Slide) <= calendarMin {
		shift := a.zone.offset(t)
		dst = a.local(dst, t+shift)
		for i := first; i < len(dst); i++ {
			dst[i].start -= shift
			dst[i].end -= shift
		}
		return dst
	}
	dst = a.local(dst, t+a.zone.offset(t))
	for i := first; i < len(dst); i++ {
		dst[i] = interval{a.zone.instant(dst[i].start), a.zone.instant(dst[i].end)}
	}
	return dst
}

// local appends the windows of a time on an unzoned clock.
func (a *assigner) local(dst []interval, t int64) []interval {
	size, slide := a.w.Size, a.w.Slide
	switch a.w.Kind {
	case Hop:
		last := floorTo(t, slide, a.w.Offset)
		// The earliest start that still covers t: the smallest last - k*slide > t - size.
		if last <= t-size {
			return dst // between two windows: slide > size
		}
		k := (last - (t - size) - 1) / slide
		for ; k >= 0; k-- {
			dst = append(dst, interval{last - k*slide, last - k*slide + size})
		}
		return dst
	case Cumulate:
		start := floorTo(t, size, a.w.Offset)
		for end := floorTo(t, slide, start) + slide; end <= start+size; end += slide {
			dst = append(dst, interval{start, end})
		}
		return dst
	}
	start := floorTo(t, size, a.w.Offset)
	return append(dst, interval{start, start + size})
}

// zone converts between instants and a zone's wall clock, remembering the last period of constant offset.
type zone struct {
	loc      *time.Location
	from, to int64 // the offset holds in [from, to)
	shift    int64
}

// offset returns wall clock minus instant at t.
func (z *zone) offset(t int64) int64 {
	if t >= z.from && t < z.to {
		return z.shift
	}
	at := time.UnixMicro(t).In(z.loc)
	_, seconds := at.Zone()
	from, to := at.ZoneBounds()
	z.from, z.to, z.shift = -maxEventTime, maxEventTime, int64(seconds)*1e6
	if !from.IsZero() {
		z.from = from.UnixMicro()
	}
	if !to.IsZero() {
		z.to = to.UnixMicro()
	}
	return z.shift
}

// instant returns when the wall clock first shows local; for a time that the clock skips, when it would have shown it.
func (z *zone) instant(local int64) int64 {
	const day = int64(24 * time.Hour / time.Microsecond)
	before := z.offset(local - z.offset(local) - day)
	if t := local - before; z.offset(t) == before {
		return t
	}
	after := z.offset(local - z.offset(local) + day)
	if t := local - after; z.offset(t) == after {
		return t
	}
	return local - before
}
