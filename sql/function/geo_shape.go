package function

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// shapeFuncs is the part of the geo table on polygons and lines, given as WKT or GeoJSON, longitude first.
func shapeFuncs() []*Func {
	const shapes = " A shape is a POLYGON or MULTIPOLYGON, with holes, in WKT or GeoJSON; its sides are straight in degrees. A constant one is read once."
	return []*Func{
		def("st_contains(shape, p)", "Whether a POINT lies in a shape; on its border it may or may not."+shapes, bindContains(0, 1), "st_contains('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 6 4, 6 6, 4 6, 4 4))', point(2, 2))", "1", "st_contains('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 6 4, 6 6, 4 6, 4 4))', point(5, 5))", "0", "st_contains('POLYGON((0 0, 1 0, 1 1, 0 0))', NULL)", "NULL"),
		def("st_within(p, shape)", "Whether a POINT lies in a shape: st_contains the other way round."+shapes, bindContains(1, 0), `st_within(point(2, 2), '{"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]}')`, "1"),
		def("point_in_polygon(lat, lon, shape)", "Whether latitude and longitude lie in a shape."+shapes, bindInPolygon, "point_in_polygon(2, 3, 'POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))')", "1", "point_in_polygon(2, 30, 'POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))')", "0"),
		def("st_length(line)", "Metres along a path 'LINESTRING(lon lat, ..)', on a sphere; NULL for other text.", fixed(tFloat, rowFloatOK(func(a []*vector.Vector, i int) (float64, bool) { return pathLength(a[0].Bytes(i)) }), tText), "round(st_length('LINESTRING(0 0, 1 0, 1 1)') / 1000)", "222", "st_length('x')", "NULL"),
	}
}

// shape is a set of rings: a point is inside when a ray from it crosses an odd number of sides, which counts holes out.
type shape struct {
	west, south, east, north float64
	x, y                     []float64 // corners of all rings, each closed
	rings                    []int     // where each ring ends
}

// maxShapeCorners bounds a shape.
const maxShapeCorners = 1 << 20

func (s *shape) reset() {
	*s = shape{west: math.Inf(1), south: math.Inf(1), east: math.Inf(-1), north: math.Inf(-1), x: s.x[:0], y: s.y[:0], rings: s.rings[:0]}
}

func (s *shape) corner(x, y float64) {
	s.west, s.east, s.south, s.north = min(s.west, x), max(s.east, x), min(s.south, y), max(s.north, y)
	s.x, s.y = append(s.x, x), append(s.y, y)
}

// endRing closes a ring; false when it has no area.
func (s *shape) endRing() bool {
	start := 0
	if len(s.rings) > 0 {
		start = s.rings[len(s.rings)-1]
	}
	if len(s.x)-start < 3 {
		return false
	}
	if last := len(s.x) - 1; s.x[start] != s.x[last] || s.y[start] != s.y[last] {
		s.corner(s.x[start], s.y[start])
	}
	s.rings = append(s.rings, len(s.x))
	return len(s.x) <= maxShapeCorners
}

func (s *shape) contains(x, y float64) bool {
	if !(x >= s.west && x <= s.east && y >= s.south && y <= s.north) {
		return false
	}
	inside, start := false, 0
	for _, end := range s.rings {
		for k := start + 1; k < end; k++ {
			if (s.y[k] > y) != (s.y[k-1] > y) && x < (s.x[k-1]-s.x[k])*(y-s.y[k])/(s.y[k-1]-s.y[k])+s.x[k] {
				inside = !inside
			}
		}
		start = end
	}
	return inside
}

// read reads WKT or GeoJSON.
func (s *shape) read(text []byte) bool {
	s.reset()
	if text = trimSpace(text); len(text) > 0 && text[0] == '{' {
		return s.readGeoJSON(text)
	}
	word, rest := shapeName(text)
	depth := 2
	switch {
	case bytes.EqualFold(word, []byte("POLYGON")):
	case bytes.EqualFold(word, []byte("MULTIPOLYGON")):
		depth = 3
	default:
		return false
	}
	in := coordinates{rest: rest}
	for in.next() {
		if in.depth != depth {
			return false
		}
		s.corner(in.x, in.y)
		if in.endsList && !s.endRing() {
			return false
		}
	}
	return in.ok && len(s.rings) > 0
}

// shapeName cuts the word before the first bracket, and an SRID in front of it.
func shapeName(text []byte) (word, rest []byte) {
	if _, behind, found := bytes.Cut(text, []byte(";")); found && bytes.HasPrefix(text, []byte("SRID=4326;")) {
		text = trimSpace(behind)
	}
	at := bytes.IndexByte(text, '(')
	if at < 0 {
		return nil, nil
	}
	return trimSpace(text[:at]), text[at:]
}

// coordinates walks through the numbers of WKT.
type coordinates struct {
	rest     []byte
	x, y     float64
	depth    int  // brackets around the pair
	endsList bool // the pair is the last of its list
	ok       bool // the text ended as it should
}

func (c *coordinates) next() bool {
	for c.rest = trimSpace(c.rest); len(c.rest) > 0 && (c.rest[0] == '(' || c.rest[0] == ',' || c.rest[0] == ')'); c.rest = trimSpace(c.rest[1:]) {
		switch c.rest[0] {
		case '(':
			c.depth++
		case ')':
			c.depth--
		}
	}
	if len(c.rest) == 0 {
		c.ok = c.depth == 0
		return false
	}
	var ok1, ok2 bool
	c.x, c.rest, ok1 = readCoordinate(c.rest)
	c.y, c.rest, ok2 = readCoordinate(trimSpace(c.rest))
	c.rest = trimSpace(c.rest)
	c.endsList = len(c.rest) > 0 && c.rest[0] == ')'
	return ok1 && ok2 && len(c.rest) > 0
}

// coordinateRoom is the longest number of a coordinate.
const coordinateRoom = 32

func readCoordinate(s []byte) (x float64, rest []byte, ok bool) {
	n := 0
	for n < len(s) && n < coordinateRoom && (s[n]-'0' <= 9 || s[n] == '.' || s[n] == '-' || s[n] == '+' || s[n]|0x20 == 'e') {
		n++
	}
	x, err := strconv.ParseFloat(string(s[:n]), 64)
	return x, s[n:], err == nil
}

func (s *shape) readGeoJSON(text []byte) bool {
	var g struct {
		Type        string
		Coordinates json.RawMessage
	}
	if json.Unmarshal(text, &g) != nil {
		return false
	}
	var polygons [][][][]float64
	switch g.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		if json.Unmarshal(g.Coordinates, &polygons[0]) != nil {
			return false
		}
	case "MultiPolygon":
		if json.Unmarshal(g.Coordinates, &polygons) != nil {
			return false
		}
	}
	for _, rings := range polygons {
		for _, ring := range rings {
			for _, p := range ring {
				if len(p) < 2 {
					return false
				}
				s.corner(p[0], p[1])
			}
			if !s.endRing() {
				return false
			}
		}
	}
	return len(s.rings) > 0
}

// shapeOf gives the shape of each row: a constant one read at bind time, or that of the row before when it has not changed.
type shapeOf struct {
	constant *shape
	last     shape
	text     []byte
	good     bool
}

func (z *shapeOf) at(ctx *Ctx, v *vector.Vector, i int) *shape {
	if z.constant != nil {
		return z.constant
	}
	if text := v.Bytes(i); z.text == nil || !bytes.Equal(text, z.text) {
		z.text = append(append(z.text[:0], text...), 0)[:len(text)]
		z.good = z.last.read(text)
	}
	if !z.good {
		if !v.IsNull(i) && ctx.Counts(i) {
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "'%s' is no polygon", clip(v.Bytes(i))))
		}
		return nil
	}
	return &z.last
}

// constantShape reads a constant shape; nil when it is not constant.
func constantShape(a Arg, n int) (*shape, error) {
	if a.Type.Class() != types.ClassBytes && a.Type.Kind != types.Null {
		return nil, fmt.Errorf("argument %d must be a shape such as 'POLYGON((0 0, 1 0, 1 1, 0 0))', not %s", n, a.Type)
	}
	text, ok := constText(a)
	if !ok {
		return nil, nil
	}
	s := &shape{}
	if !s.read([]byte(text)) {
		return nil, fmt.Errorf("argument %d is no shape such as 'POLYGON((0 0, 1 0, 1 1, 0 0))'", n)
	}
	return s, nil
}

// bindContains binds a shape and a POINT at these places.
func bindContains(shapeAt, pointAt int) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		if err := pointArg(args[pointAt], pointAt+1); err != nil {
			return Bound{}, err
		}
		constant, err := constantShape(args[shapeAt], shapeAt+1)
		if err != nil {
			return Bound{}, err
		}
		want := []types.Type{tText, tText}
		want[pointAt] = tPoint
		return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			shapes := shapeOf{constant: constant}
			for i := range n {
				out.I64[i] = 0
				if s := shapes.at(ctx, a[shapeAt], i); s != nil {
					out.I64[i] = boolInt(s.contains(types.PointParts(a[pointAt].I128[i])))
				}
			}
		}}, nil
	}
}

func bindInPolygon(args []Arg) (Bound, error) {
	want, err := match(args, 3, []types.Type{tFloat, tFloat, tText})
	if err != nil {
		return Bound{}, err
	}
	constant, err := constantShape(args[2], 3)
	return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		shapes := shapeOf{constant: constant}
		for i := range n {
			out.I64[i] = 0
			if s := shapes.at(ctx, a[2], i); s != nil {
				out.I64[i] = boolInt(s.contains(a[1].F64[i], a[0].F64[i]))
			}
		}
	}}, err
}

func pathLength(text []byte) (float64, bool) {
	word, rest := shapeName(trimSpace(text))
	if !bytes.EqualFold(word, []byte("LINESTRING")) {
		return 0, false
	}
	in := coordinates{rest: rest}
	metres, lastX, lastY := 0.0, 0.0, 0.0
	for k := 0; in.next(); k++ {
		if in.depth != 1 {
			return 0, false
		}
		if k > 0 {
			metres += haversine(lastY, lastX, in.y, in.x)
		}
		lastX, lastY = in.x, in.y
	}
	return metres, in.ok
}
