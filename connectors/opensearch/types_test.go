package opensearch

import (
	"testing"

	"github.com/millrace/millrace/sql/types"
)

// TestMappedTypes: a POINT is a geo_point, to which its [lon, lat] in the document fits; texts of ENUM and SET are keywords.
func TestMappedTypes(t *testing.T) {
	for kind, typ := range map[string]types.Type{"geo_point": types.Of(types.Point), "keyword": types.EnumOf("a"), "short": types.Of(types.Year), "double": types.DecimalOf(65, 30)} {
		if got := fieldMapping(typ, ""); got["type"] != kind {
			t.Errorf("%s is mapped to %v, want %s", typ, got, kind)
		}
	}
	if got := fieldMapping(types.ArrayOf(types.Of(types.Point)), ""); got["type"] != "geo_point" {
		t.Errorf("ARRAY<POINT> is mapped to %v", got)
	}
}
