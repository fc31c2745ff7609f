package types

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"
)

// SRID is the spatial reference system of POINT: WGS 84. Unlike MySQL's ST_ functions for it, texts and constructors here give the
// longitude first, as GeoJSON, OpenSearch and PostGIS do.
const SRID = 4326

// PointOf makes a POINT from longitude and latitude in degrees; ok is false outside -180..180 and -90..90.
func PointOf(lon, lat float64) (p Int128, ok bool) {
	ok = lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90
	return Int128{Hi: int64(math.Float64bits(lon + 0)), Lo: math.Float64bits(lat + 0)}, ok // adding 0 makes -0 a 0: equal points have equal bits
}

// PointParts gives longitude and latitude of a POINT.
func PointParts(p Int128) (lon, lat float64) {
	return math.Float64frombits(uint64(p.Hi)), math.Float64frombits(p.Lo)
}

// AppendPoint appends the WKT form: POINT(13.4 52.5).
func AppendPoint(dst []byte, p Int128) []byte {
	lon, lat := PointParts(p)
	dst = appendDegrees(append(dst, "POINT("...), lon)
	dst = appendDegrees(append(dst, ' '), lat)
	return append(dst, ')')
}

// AppendLonLat appends [13.4, 52.5], the coordinates of GeoJSON.
func AppendLonLat(dst []byte, p Int128) []byte {
	lon, lat := PointParts(p)
	dst = appendDegrees(append(dst, '['), lon)
	dst = appendDegrees(append(dst, ", "...), lat)
	return append(dst, ']')
}

func appendDegrees(dst []byte, f float64) []byte { return strconv.AppendFloat(dst, f, 'f', -1, 64) }

// maxDegreeText bounds the text of one coordinate.
const maxDegreeText = 400

// ParsePoint reads WKT: `POINT(lon lat)` in any case, with any blanks, and an optional `SRID=4326;` in front.
func ParsePoint(s []byte) (p Int128, ok bool) {
	s = skipBlanks(s)
	if len(s) > 10 && bytes.EqualFold(s[:10], []byte("SRID=4326;")) {
		s = skipBlanks(s[10:])
	}
	if len(s) < 5 || !bytes.EqualFold(s[:5], []byte("POINT")) {
		return p, false
	}
	s = skipBlanks(s[5:])
	if len(s) == 0 || s[0] != '(' {
		return p, false
	}
	lon, s, ok := parseDegrees(skipBlanks(s[1:]))
	if !ok || len(s) == 0 || s[0] > ' ' {
		return p, false
	}
	lat, s, ok := parseDegrees(skipBlanks(s))
	s = skipBlanks(s)
	if !ok || len(s) == 0 || s[0] != ')' || len(skipBlanks(s[1:])) > 0 {
		return p, false
	}
	return PointOf(lon, lat)
}

func parseDegrees(s []byte) (f float64, rest []byte, ok bool) {
	n := 0
	for n < len(s) && n < maxDegreeText && (s[n]-'0' <= 9 || s[n] == '.' || s[n] == '-' || s[n] == '+' || s[n]|0x20 == 'e') {
		n++
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(s), n), 64)
	return f, s[n:], err == nil
}

func skipBlanks(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\n' || s[0] == '\r') {
		s = s[1:]
	}
	return s
}
