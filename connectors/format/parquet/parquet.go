package parquet

import (
	"github.com/millrace/millrace/connectors/format"
)

func init() {
	format.Register(&format.Spec{
		Name:    "parquet",
		Doc:     "Parquet files of flat columns; columns are found by name and only the wanted ones are read",
		Example: "CREATE TABLE drivers (driver_id INT, name VARCHAR) WITH (connector='file', path='drivers.parquet', format='parquet')",
	})
}
