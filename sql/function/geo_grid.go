package function

import (
	"math"
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// gridFuncs is the part of the geo table on cells: geohashes, and the tiles z/x/y of web maps. The hexagonal H3 grid is not there.
func gridFuncs() []*Func {
	tBox := types.ArrayOf(tFloat)
	return []*Func{
		def("st_geohash(p, precision) | st_geohash(lon, lat, precision)", "The geohash of a POINT, or of longitude and latitude as in MySQL, 1 to 12 characters.", bindGeohash, "st_geohash(point(10.40744, 57.64911), 8)", "u4pruydq", "st_geohash(180, 0, 10)", "xbpbpbpbpb", "st_geohash(NULL, 8)", "NULL"),
		def("st_pointfromgeohash(s)", "The POINT in the middle of a geohash; NULL when it is none.", fixed(tPoint, func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			for i := range n {
				box, ok := geohashBox(a[0].Bytes(i))
				p, _ := types.PointOf((box[1]+box[3])/2, (box[0]+box[2])/2)
				if out.I128[i] = p; !ok {
					out.SetNull(i)
				}
			}
		}, tText), "st_pointfromgeohash('ezs42')", "POINT(-5.60302734375 42.60498046875)", "st_pointfromgeohash('a')", "NULL").alias("geohash_decode"),
		def("st_latfromgeohash(s)", "The latitude in the middle of a geohash.", fixed(tFloat, rowFloatOK(func(a []*vector.Vector, i int) (float64, bool) {
			box, ok := geohashBox(a[0].Bytes(i))
			return (box[0] + box[2]) / 2, ok
		}), tText), "st_latfromgeohash('ezs42')", "42.60498046875"),
		def("st_longfromgeohash(s)", "The longitude in the middle of a geohash.", fixed(tFloat, rowFloatOK(func(a []*vector.Vector, i int) (float64, bool) {
			box, ok := geohashBox(a[0].Bytes(i))
			return (box[1] + box[3]) / 2, ok
		}), tText), "st_longfromgeohash('ezs42')", "-5.60302734375"),
		def("geohash_bounds(s)", "The box of a geohash as ARRAY of south, west, north and east.", fixed(tBox, kernelBox(geohashBox), tText), "geohash_bounds('ezs42')", "[42.5830078125, -5.625, 42.626953125, -5.5810546875]", "geohash_bounds('a')", "NULL"),
		def("geohash_neighbors(s)", "The eight geohashes around one, from the north clockwise, as ARRAY; beyond the poles there are none, and the list is shorter.", fixed(types.ArrayOf(tText), kernelNeighbors, tText), "geohash_neighbors('ezs42')", `["ezs48", "ezs49", "ezs43", "ezs41", "ezs40", "ezefp", "ezefr", "ezefx"]`, "geohash_neighbors('a')", "NULL"),
		def("geotile(lat, lon, zoom)", "The tile z/x/y of web maps (Mercator) that a point lies in, zoom 0 to 29; latitudes beyond 85.0511 count to the last row.", fixed(tText, rowText(geotile), tFloat, tFloat, tInt), "geotile(52.52, 13.405, 10)", "10/550/335", "geotile(0, 0, 30)", "NULL").reading(types.Float64),
		def("geotile_bounds(tile)", "The box of a tile z/x/y as ARRAY of south, west, north and east; NULL when there is no such tile.", fixed(tBox, kernelBox(tileBox), tText), "geotile_bounds('1/1/1')", "[-85.05112877980659, 0, 0, 180]", "geotile_bounds('1/2/1')", "NULL"),
		def("geotile_parent(tile)", "The tile one zoom level above; NULL for 0/0/0.", fixed(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			z, x, y, ok := parseTile(a[0].Bytes(i))
			if !ok || z == 0 {
				return dst, false
			}
			return appendTile(dst, z-1, x/2, y/2), true
		}), tText), "geotile_parent('10/550/335')", "9/275/167", "geotile_parent('0/0/0')", "NULL"),
	}
}

func bindGeohash(args []Arg) (Bound, error) {
	if len(args) == 3 {
		kernel := rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			return appendGeohash(dst, a[1].F64[i], a[0].F64[i], a[2].I64[i])
		})
		return fixed(tText, kernel, tFloat, tFloat, tInt)(args)
	}
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	if err := pointArg(args[0], 1); err != nil {
		return Bound{}, err
	}
	if _, err := match(args[1:], 1, []types.Type{tInt}); err != nil {
		return Bound{}, err
	}
	return strict(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		lon, lat := types.PointParts(a[0].I128[i])
		return appendGeohash(dst, lat, lon, a[1].I64[i])
	}), tPoint, tInt), nil
}

// geohashBox gives south, west, north and east; ok is false when s is no geohash.
func geohashBox(s []byte) (box [4]float64, ok bool) {
	if len(s) == 0 || len(s) > 12 {
		return box, false
	}
	box = [4]float64{-90, -180, 90, 180}
	even := true
	for _, c := range s {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		digit := strings.IndexByte(geohashDigits, c)
		if digit < 0 {
			return box, false
		}
		for bit := 16; bit > 0; bit >>= 1 {
			low, high := &box[0], &box[2]
			if even {
				low, high = &box[1], &box[3]
			}
			if mid := (*low + *high) / 2; digit&bit != 0 {
				*low = mid
			} else {
				*high = mid
			}
			even = !even
		}
	}
	return box, true
}

// kernelBox appends boxes as arrays.
func kernelBox(f func(s []byte) (box [4]float64, ok bool)) Kernel {
	return func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			box, ok := f(a[0].Bytes(i))
			if !ok {
				out.AppendNull()
				continue
			}
			for _, x := range box {
				out.Child[0].AppendF64(x)
			}
			out.EndList()
		}
	}
}

// kernelNeighbors takes the middle of the box a step away; around the date line it goes on.
func kernelNeighbors(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	steps := [...][2]float64{{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}}
	list := out.Child[0]
	for i := range n {
		s := a[0].Bytes(i)
		box, ok := geohashBox(s)
		if !ok {
			out.AppendNull()
			continue
		}
		height, width := box[2]-box[0], box[3]-box[1]
		for _, step := range steps {
			lat := (box[0]+box[2])/2 + step[0]*height
			lon := (box[1]+box[3])/2 + step[1]*width
			if lat < -90 || lat > 90 {
				continue
			}
			lon -= 360 * math.Floor((lon+180)/360)
			list.Data, _ = appendGeohash(list.Data, lat, lon, int64(len(s)))
			list.EndBytes()
		}
		out.EndList()
	}
}

// Limits of tiles.
const (
	maxZoom     = 29
	mercatorMax = 85.0511287798066
)

func geotile(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	lat, lon, zoom := a[0].F64[i], a[1].F64[i], a[2].I64[i]
	if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) || zoom < 0 || zoom > maxZoom {
		return dst, false
	}
	size := float64(int64(1) << zoom)
	lat = min(max(lat, -mercatorMax), mercatorMax) * math.Pi / 180
	x := (lon + 180) / 360 * size
	y := (1 - math.Asinh(math.Tan(lat))/math.Pi) / 2 * size
	return appendTile(dst, zoom, int64(min(max(x, 0), size-1)), int64(min(max(y, 0), size-1))), true
}

func appendTile(dst []byte, z, x, y int64) []byte {
	dst = append(strconv.AppendInt(dst, z, 10), '/')
	dst = append(strconv.AppendInt(dst, x, 10), '/')
	return strconv.AppendInt(dst, y, 10)
}

func parseTile(s []byte) (z, x, y int64, ok bool) {
	var parts [3]int64
	k, digits := 0, 0
	for _, c := range s {
		switch {
		case c == '/' && digits > 0 && k < 2:
			k, digits = k+1, 0
		case c-'0' <= 9 && digits < 10:
			parts[k] = parts[k]*10 + int64(c-'0')
			digits++
		default:
			return 0, 0, 0, false
		}
	}
	z, x, y = parts[0], parts[1], parts[2]
	return z, x, y, k == 2 && digits > 0 && z <= maxZoom && x < 1<<z && y < 1<<z
}

func tileBox(s []byte) (box [4]float64, ok bool) {
	z, x, y, ok := parseTile(s)
	if !ok {
		return box, false
	}
	size := float64(int64(1) << z)
	lat := func(y int64) float64 { return math.Atan(math.Sinh(math.Pi*(1-2*float64(y)/size))) * 180 / math.Pi }
	return [4]float64{lat(y + 1), float64(x)/size*360 - 180, lat(y), float64(x+1)/size*360 - 180}, true
}
