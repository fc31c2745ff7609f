package function

import "strings"

// refused are functions of MySQL and other systems that are left out on purpose, with what to do instead.
var refused = map[string]string{
	"load_file":                     "statements read no files of the server; read a file with CREATE SOURCE .. connector = 'file'",
	"sleep":                         "a stream must not wait; schedule the statement from outside",
	"benchmark":                     "it measures how fast a server evaluates an expression, and would hold up a stream",
	"get_lock":                      lockReason,
	"release_lock":                  lockReason,
	"release_all_locks":             lockReason,
	"is_free_lock":                  lockReason,
	"is_used_lock":                  lockReason,
	"master_pos_wait":               replicationReason,
	"source_pos_wait":               replicationReason,
	"wait_for_executed_gtid_set":    replicationReason,
	"gtid_subset":                   replicationReason,
	"gtid_subtract":                 replicationReason,
	"uuid_short":                    "it numbers by server and start, which a replay would repeat; use uuid_v7()",
	"password":                      "hashes of MySQL's passwords have no use here; use sha2(s, 256)",
	"old_password":                  "hashes of MySQL's passwords have no use here; use sha2(s, 256)",
	"encrypt":                       "crypt(3) is broken; use aes_encrypt(s, key, iv, 'aes-256-cbc') or hmac('sha256', key, s)",
	"des_encrypt":                   "DES is broken; use aes_encrypt(s, key, iv, 'aes-256-cbc')",
	"des_decrypt":                   "DES is broken; use aes_decrypt(s, key, iv, 'aes-256-cbc')",
	"extractvalue":                  "XML has no functions here; turn it into JSON before it comes in",
	"updatexml":                     "XML has no functions here; turn it into JSON before it comes in",
	"json_schema_valid":             "JSON is checked by the types of a source's columns; is the member there: json_exists(doc, path)",
	"json_schema_validation_report": "JSON is checked by the types of a source's columns; is the member there: json_exists(doc, path)",
	"json_storage_free":             "documents are not updated in place",
	"name_const":                    "it serves MySQL's replication; write x AS name",
	"statement_digest":              "statements are not data here; SHOW JOBS lists them",
	"statement_digest_text":         "statements are not data here; SHOW JOBS lists them",
	"validate_password_strength":    "there are no users with passwords to check",
	"icu_version":                   "patterns are RE2's, not ICU's",
	"ps_current_thread_id":          "there is no performance schema; SHOW JOBS has the figures",
	"ps_thread_id":                  "there is no performance schema; SHOW JOBS has the figures",
	"roles_graphml":                 "there are no roles",
	"st_buffer":                     geometryReason,
	"st_union":                      geometryReason,
	"st_intersection":               geometryReason,
	"st_difference":                 geometryReason,
	"st_convexhull":                 geometryReason,
	"st_simplify":                   geometryReason,
	"st_transform":                  "coordinates are WGS 84 degrees throughout",
	"grouping_id":                   "write GROUPING(a, b)",
	"proctime":                      "write NOW(): the instant of the epoch",
	"current_row_timestamp":         "write NOW(): the instant of the epoch",
	"latest_by_offset":              "write last_value(x), or arg_max(x, ts)",
	"earliest_by_offset":            "write first_value(x), or arg_min(x, ts)",
	"extractjsonfield":              "write json_value(doc, path), or doc ->> path",
	"timestamptostring":             "write date_format(t, '%Y-%m-%d %H:%i:%s')",
	"stringtotimestamp":             "write to_timestamp(s, '%Y-%m-%d %H:%i:%s')",
	"as_value":                      "a key is a column as any other: write x AS name",
	"rand_integer":                  "write CAST(floor(rand() * n) AS BIGINT)",
	"json_string":                   "write to_json(x)",
	"current_watermark":             "a watermark is the operator's, not the row's; SHOW JOBS shows it",
	"get_json_object":               "write json_extract(doc, path), or doc -> path",
	"len":                           "write char_length(s) for characters, length(s) for bytes",
	"datepart":                      "write extract(unit FROM t)",
	"getdate":                       "write now()",
	"convert_timezone":              "write convert_tz(t, from, to), or t AT TIME ZONE zone",
	"to_varchar":                    "write CAST(x AS CHAR), or to_char(x, format)",
	"percentile":                    "write percentile_cont(x, fraction), or approx_percentile(x, fraction)",
}

const (
	lockReason        = "rows of a stream are not processed one after the other in one place, so a lock would say nothing"
	replicationReason = "there is no binary log to wait for; SHOW JOBS shows how far a job has read"
	geometryReason    = "shapes are only tested and measured: st_contains, st_distance_sphere, st_length"
)

// Refused gives the reason why a function of another system is not here and what to use instead; "" for other names.
func Refused(name string) string { return refused[strings.ToLower(name)] }
