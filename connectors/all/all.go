package all

import (
	_ "github.com/millrace/millrace/connectors/datagen"
	_ "github.com/millrace/millrace/connectors/debug"
	_ "github.com/millrace/millrace/connectors/file"
	_ "github.com/millrace/millrace/connectors/format/csv"
	_ "github.com/millrace/millrace/connectors/format/json"
	_ "github.com/millrace/millrace/connectors/format/parquet"
	_ "github.com/millrace/millrace/connectors/format/raw"
	_ "github.com/millrace/millrace/connectors/kafka"
	_ "github.com/millrace/millrace/connectors/nexmark"
	_ "github.com/millrace/millrace/connectors/opensearch"
	_ "github.com/millrace/millrace/connectors/taxi"
)
