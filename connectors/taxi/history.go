package taxi

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/connectors/format/parquet"
	"github.com/millrace/millrace/connectors/generate"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// historySeed makes the historical tables; they do not change with the simulator's seed.
const historySeed = 20

// HistoryFiles gives the historical tables of the city as files by name: drivers.csv, zones.csv, zones.parquet, tariffs.jsonl (versions,
// in the order of valid_from).
func HistoryFiles(drivers int) (map[string][]byte, error) {
	zoneRows := zoneTable()
	var pq bytes.Buffer
	w, err := parquet.NewWriter(&pq, zoneColumns)
	if err != nil {
		return nil, err
	}
	if err := w.Write(zoneRows); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("closing zones.parquet: %w", err)
	}
	return map[string][]byte{
		"drivers.csv": driverTable(drivers), "zones.csv": zoneCSV(zoneRows), "zones.parquet": pq.Bytes(), "tariffs.jsonl": tariffTable(),
	}, nil
}

// WriteHistory writes HistoryFiles to a directory.
func WriteHistory(dir string, drivers int) error {
	files, err := HistoryFiles(drivers)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

var (
	firstNames = []string{"Ada", "Aylin", "Bruno", "Chiara", "Daniel", "Elif", "Emil", "Farid", "Grace", "Hanna", "Igor", "Jana", "Kofi", "Lena",
		"Mehmet", "Mila", "Nadia", "Omar", "Paula", "Quang", "Rosa", "Samir", "Thea", "Umut", "Vera", "Wiktor", "Yara", "Zoe"}
	lastNames = []string{"Albrecht", "Bauer", "Celik", "Dogan", "Engel", "Fischer", "Graf", "Hoffmann", "Ito", "Jansen", "Kaya", "Lang", "Mensah",
		"Nowak", "Okafor", "Petrov", "Quast", "Richter", "Sanchez", "Tran", "Ulrich", "Vogel", "Weber", "Yilmaz", "Zimmer"}
	companies = []string{"Spree Taxi", "Linden Cab", "Alex Fahrdienst", "Havel Mobil"}
)

func driverTable(drivers int) []byte {
	dst := []byte("driver_id,name,company,license,rating,hired\n")
	for i := range int64(drivers) {
		r := generate.At(historySeed, i, forHome)
		dst = strconv.AppendInt(dst, i+1, 10)
		dst = fmt.Appendf(dst, ",%s %s,%s,B-%05d,%d.%02d,", firstNames[r.Int(int64(len(firstNames)))], lastNames[r.Int(int64(len(lastNames)))],
			companies[r.Int(int64(len(companies)))], 10000+r.Int(90000), 3+r.Int(2), r.Int(100))
		dst = append(types.AppendDate(dst, 16000+r.Int(4000)), '\n')
	}
	return dst
}

var zoneColumns = []connectors.Column{
	{Name: "zone_id", Type: types.Of(types.Int32)}, {Name: "name", Type: types.Of(types.String)}, {Name: "borough", Type: types.Of(types.String)},
	{Name: "lat", Type: types.Of(types.Float64)}, {Name: "lon", Type: types.Of(types.Float64)}, {Name: "airport", Type: types.Of(types.Bool)},
}

func zoneTable() *vector.Batch {
	fields := make([]types.Field, len(zoneColumns))
	for i, c := range zoneColumns {
		fields[i] = types.Field{Name: c.Name, Type: c.Type}
	}
	b := vector.NewBatch(fields, len(zones))
	for i, z := range zones {
		b.Cols[0].AppendI64(int64(i) + 1)
		b.Cols[1].AppendString(z.name)
		b.Cols[2].AppendString(z.borough)
		b.Cols[3].AppendF64(z.lat)
		b.Cols[4].AppendF64(z.lon)
		b.Cols[5].AppendBool(i == airport)
		b.EndRow(vector.Insert)
	}
	return b
}

func zoneCSV(b *vector.Batch) []byte {
	dst := []byte("zone_id,name,borough,lat,lon,airport\n")
	for i := range b.N {
		for c, v := range b.Cols {
			if c > 0 {
				dst = append(dst, ',')
			}
			dst = format.AppendScalar(dst, v, i, format.TimeISO)
		}
		dst = append(dst, '\n')
	}
	return dst
}

func tariffTable() (dst []byte) {
	for i, t := range tariffs {
		dst = fmt.Appendf(dst, `{"tariff_id":%d,"name":"%s","base_fare":%d.%02d,"per_km":%d.%02d,"per_minute":%d.%02d,"valid_from":"`,
			t.id, t.name, t.base/100, t.base%100, t.perKm/100, t.perKm%100, t.perMinute/100, t.perMinute%100)
		dst = append(types.AppendTimestamp(dst, tariffTimes[i], 3, true), `"}`+"\n"...)
	}
	return dst
}
