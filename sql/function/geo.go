package function

import (
	"math"

	"github.com/millrace/millrace/sql/vector"
)

// geoFuncs is the table of functions on points of the earth, given as latitude and longitude in degrees.
func geoFuncs() []*Func {
	all := []*Func{
		def("distance(lat1, lon1, lat2, lon2)", "Metres along the surface between two points, on a sphere of MySQL's radius.", fixed(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 {
			return haversine(a[0].F64[i], a[1].F64[i], a[2].F64[i], a[3].F64[i])
		}), tFloat, tFloat, tFloat, tFloat), "round(distance(52.52, 13.405, 48.8566, 2.3522) / 1000)", "877").alias("haversine"),
		def("geohash(lat, lon, precision)", "The geohash of a point, 1 to 12 characters.", fixed(tText, rowText(geohash), tFloat, tFloat, tInt), "geohash(57.64911, 10.40744, 8)", "u4pruydq"),
		def("in_bbox(lat, lon, south, west, north, east)", "Whether a point lies in a box; a box may cross the date line.", fixed(tBool, rowInt(inBox), tFloat, tFloat, tFloat, tFloat, tFloat, tFloat),
			"in_bbox(40.7, -74, 40, -75, 41, -73)", "1"),
	}
	for _, f := range all {
		f.TextLiterals = tFloat.Kind
	}
	all = append(append(append(all, pointFuncs()...), shapeFuncs()...), gridFuncs()...)
	return family("geo", all...)
}

// earthRadius is ST_Distance_Sphere's default, in metres.
const earthRadius = 6370986

func haversine(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLat, dLon := (lat2-lat1)*rad/2, (lon2-lon1)*rad/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Sin(dLon)*math.Sin(dLon)
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}

const geohashDigits = "0123456789bcdefghjkmnpqrstuvwxyz"

func geohash(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	return appendGeohash(dst, a[0].F64[i], a[1].F64[i], a[2].I64[i])
}

// appendGeohash is false for what is no point and no precision of 1 to 12.
func appendGeohash(dst []byte, lat, lon float64, precision int64) ([]byte, bool) {
	if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) || precision < 1 || precision > 12 {
		return dst, false
	}
	south, north, west, east := -90.0, 90.0, -180.0, 180.0
	even := true
	for range precision {
		digit := 0
		for range 5 { // bits of longitude and latitude alternate
			digit <<= 1
			if even {
				digit |= halve(lon, &west, &east)
			} else {
				digit |= halve(lat, &south, &north)
			}
			even = !even
		}
		dst = append(dst, geohashDigits[digit])
	}
	return dst, true
}

func halve(x float64, low, high *float64) int {
	mid := (*low + *high) / 2
	if x >= mid {
		*low = mid
		return 1
	}
	*high = mid
	return 0
}

func inBox(a []*vector.Vector, i int) (int64, bool) {
	lat, lon, south, west, north, east := a[0].F64[i], a[1].F64[i], a[2].F64[i], a[3].F64[i], a[4].F64[i], a[5].F64[i]
	inside := lon >= west && lon <= east
	if west > east {
		inside = lon >= west || lon <= east
	}
	return boolInt(inside && lat >= south && lat <= north), true
}
