package function

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var tPoint = types.Of(types.Point)

// pointFuncs is the part of the geo table on POINTs, which are longitude and latitude as in MySQL, and text that holds one.
func pointFuncs() []*Func {
	return []*Func{
		def("point(lon, lat)", "The POINT of longitude and latitude in degrees; NULL outside -180..180 and -90..90.", fixed(tPoint, kernelPoint, tFloat, tFloat), "point(13.4, 52.5)", "POINT(13.4 52.5)", "point(0, 91)", "NULL").alias("st_point").reading(types.Float64),
		def("st_x(p)", "The longitude of a POINT.", bindPoints(tFloat, 1, func(p []types.Int128) float64 { x, _ := types.PointParts(p[0]); return x }), "st_x(point(13.4, 52.5))", "13.4", "st_x('POINT(13.4 52.5)')", "13.4").alias("st_longitude"),
		def("st_y(p)", "The latitude of a POINT.", bindPoints(tFloat, 1, func(p []types.Int128) float64 { _, y := types.PointParts(p[0]); return y }), "st_y(point(13.4, 52.5))", "52.5").alias("st_latitude"),
		def("st_distance_sphere(p, q) | st_distance_sphere(p, q, radius) | st_distance_sphere(lat1, lon1, lat2, lon2)", "Metres along the surface between two POINTs, on a sphere of that radius (6370986 unless given); four numbers are latitudes and longitudes, as for distance.", bindDistance, "round(st_distance_sphere(point(13.405, 52.52), point(2.3522, 48.8566)) / 1000)", "877", "st_distance_sphere(point(0, 0), NULL)", "NULL"),
		def("st_azimuth(p, q)", "The bearing in degrees, 0 north and 90 east, in which the shortest way from p to q begins.", bindPoints(tFloat, 2, func(p []types.Int128) float64 {
			lon1, lat1 := types.PointParts(p[0])
			lon2, lat2 := types.PointParts(p[1])
			return bearing(lat1, lon1, lat2, lon2)
		}), "st_azimuth(point(0, 0), point(10, 0))", "90"),
		def("bearing(lat1, lon1, lat2, lon2)", "The bearing in degrees, 0 north and 90 east, in which the shortest way between two points begins.", fixed(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 {
			return bearing(a[0].F64[i], a[1].F64[i], a[2].F64[i], a[3].F64[i])
		}), tFloat, tFloat, tFloat, tFloat), "bearing(0, 0, 10, 0)", "0", "round(bearing(52.52, 13.405, 48.8566, 2.3522))", "247").reading(types.Float64),
		def("destination(p, bearing, metres)", "The POINT that far from p in a direction, 0 north and 90 east, on a sphere.", bindDestination, "round(st_y(destination(point(0, 0), 0, 111194.68)), 3)", "1", "destination(NULL, 0, 1)", "NULL"),
		def("st_geomfromtext(s)", "The POINT that WKT such as 'POINT(13.4 52.5)' names; NULL for other text.", fixed(tPoint, kernelParsePoint, tText), "st_x(st_geomfromtext('POINT(13.4 52.5)'))", "13.4", "st_geomfromtext('x')", "NULL").alias("st_pointfromtext"),
		def("st_astext(p)", "A POINT as WKT, longitude first.", bindPointText(types.AppendPoint), "st_astext(point(13.4, 52.5))", "POINT(13.4 52.5)").alias("st_aswkt"),
		def("st_asgeojson(p)", "A POINT as GeoJSON (RFC 7946).", bindPointText(appendGeoJSON), "st_asgeojson(point(13.4, 52.5))", `{"type": "Point", "coordinates": [13.4, 52.5]}`),
	}
}

func kernelPoint(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		p, ok := types.PointOf(a[0].F64[i], a[1].F64[i])
		if out.I128[i] = p; !ok {
			out.SetNull(i)
		}
	}
}

func kernelParsePoint(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		p, ok := types.ParsePoint(a[0].Bytes(i))
		if out.I128[i] = p; !ok {
			out.SetNull(i)
		}
	}
}

// pointArg checks that an argument is a POINT or text that may hold one.
func pointArg(a Arg, n int) error {
	switch a.Type.Kind {
	case types.Point, types.String, types.JSON, types.Null:
		return nil
	}
	return fmt.Errorf("argument %d must be a POINT, not %s", n, a.Type)
}

// bindPoints binds a number computed from n POINTs.
func bindPoints(ret types.Type, n int, f func(p []types.Int128) float64) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, n); err != nil {
			return Bound{}, err
		}
		want := make([]types.Type, n)
		for k, a := range args {
			if err := pointArg(a, k+1); err != nil {
				return Bound{}, err
			}
			want[k] = tPoint
		}
		return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, rows int, out *vector.Vector) {
			out.Resize(rows)
			var room [2]types.Int128
			for i := range rows {
				for k := range n {
					room[k] = a[k].I128[i]
				}
				x := f(room[:n])
				if out.F64[i] = x; x-x != 0 {
					out.F64[i] = 0
					out.SetNull(i)
				}
			}
		}}, nil
	}
}

func bindPointText(f func(dst []byte, p types.Int128) []byte) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 1); err != nil {
			return Bound{}, err
		}
		return strict(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) { return f(dst, a[0].I128[i]), true }), tPoint), pointArg(args[0], 1)
	}
}

func appendGeoJSON(dst []byte, p types.Int128) []byte {
	lon, lat := types.PointParts(p)
	dst = append(dst, `{"type": "Point", "coordinates": [`...)
	dst = append(appendFloat(dst, lon, 64), ", "...)
	return append(appendFloat(dst, lat, 64), "]}"...)
}

func bindDistance(args []Arg) (Bound, error) {
	if len(args) == 4 {
		return fixed(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 {
			return haversine(a[0].F64[i], a[1].F64[i], a[2].F64[i], a[3].F64[i])
		}), tFloat, tFloat, tFloat, tFloat)(args)
	}
	if len(args) < 2 || len(args) > 3 {
		return Bound{}, countError("two POINTs or four numbers", len(args))
	}
	want := []types.Type{tPoint, tPoint, tFloat}[:len(args)]
	for k, a := range args[:2] {
		if err := pointArg(a, k+1); err != nil {
			return Bound{}, err
		}
	}
	if len(args) == 3 && args[2].Type.Kind != types.Null && !isNumber(args[2].Type) {
		return Bound{}, fmt.Errorf("argument 3 must be a radius in metres, not %s", args[2].Type)
	}
	return Bound{Ret: tFloat, ArgTypes: want, Strict: true, Kernel: rowFloat(func(a []*vector.Vector, i int) float64 {
		lon1, lat1 := types.PointParts(a[0].I128[i])
		lon2, lat2 := types.PointParts(a[1].I128[i])
		d := haversine(lat1, lon1, lat2, lon2)
		if len(a) == 3 {
			d *= a[2].F64[i] / earthRadius
		}
		return d
	})}, nil
}

// bearing is 0 to 360 degrees.
func bearing(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLon := (lon2 - lon1) * rad
	y := math.Sin(dLon) * math.Cos(lat2*rad)
	x := math.Cos(lat1*rad)*math.Sin(lat2*rad) - math.Sin(lat1*rad)*math.Cos(lat2*rad)*math.Cos(dLon)
	return math.Mod(math.Atan2(y, x)/rad+360, 360)
}

func bindDestination(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	if err := pointArg(args[0], 1); err != nil {
		return Bound{}, err
	}
	want := []types.Type{tPoint, tFloat, tFloat}
	for k, a := range args[1:] {
		if a.Type.Kind != types.Null && !isNumber(a.Type) {
			return Bound{}, fmt.Errorf("argument %d must be a number, not %s", k+2, a.Type)
		}
	}
	return Bound{Ret: tPoint, ArgTypes: want, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			lon, lat := types.PointParts(a[0].I128[i])
			lon, lat = travel(lon, lat, a[1].F64[i], a[2].F64[i])
			p, ok := types.PointOf(lon, lat)
			if out.I128[i] = p; !ok {
				out.SetNull(i)
			}
		}
	}}, nil
}

func travel(lon, lat, direction, metres float64) (float64, float64) {
	const rad = math.Pi / 180
	d, b := metres/earthRadius, direction*rad
	sin := math.Sin(lat*rad)*math.Cos(d) + math.Cos(lat*rad)*math.Sin(d)*math.Cos(b)
	to := math.Asin(min(max(sin, -1), 1))
	turn := math.Atan2(math.Sin(b)*math.Sin(d)*math.Cos(lat*rad), math.Cos(d)-math.Sin(lat*rad)*sin)
	east := lon + turn/rad
	return east - 360*math.Floor((east+180)/360), to / rad
}
