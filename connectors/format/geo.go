package format

import (
	"encoding/json"

	"github.com/millrace/millrace/sql/types"
)

// ParseGeo reads a POINT from JSON as OpenSearch takes a geo_point: [lon, lat], {"lon": .., "lat": ..} or GeoJSON's
// {"type": "Point", "coordinates": [lon, lat]}.
func ParseGeo(s []byte) (p types.Int128, ok bool) {
	var at [2]*float64
	if len(s) > 0 && s[0] == '[' {
		list := at[:0]
		if json.Unmarshal(s, &list) != nil || len(list) != 2 {
			return p, false
		}
		return pointOf(list[0], list[1])
	}
	var object struct {
		Type        string     `json:"type"`
		Coordinates []*float64 `json:"coordinates"`
		Lon, Lat    *float64
	}
	if json.Unmarshal(s, &object) != nil {
		return p, false
	}
	if object.Type == "Point" && len(object.Coordinates) == 2 {
		return pointOf(object.Coordinates[0], object.Coordinates[1])
	}
	return pointOf(object.Lon, object.Lat)
}

func pointOf(lon, lat *float64) (p types.Int128, ok bool) {
	if lon == nil || lat == nil {
		return p, false
	}
	return types.PointOf(*lon, *lat)
}
