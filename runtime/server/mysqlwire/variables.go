package mysqlwire

import (
	"sort"
	"strconv"
	"strings"
)

// mysqlVariables are the variables of MySQL that clients ask for, with the values that describe this server. Setting one is remembered and
// has no effect, but for max_execution_time and wait_timeout.
var mysqlVariables = map[string]string{
	"auto_increment_increment":        "1",
	"auto_increment_offset":           "1",
	"autocommit":                      "1",
	"big_tables":                      "0",
	"character_set_client":            "utf8mb4",
	"character_set_connection":        "utf8mb4",
	"character_set_database":          "utf8mb4",
	"character_set_filesystem":        "binary",
	"character_set_results":           "utf8mb4",
	"character_set_server":            "utf8mb4",
	"character_set_system":            "utf8mb4",
	"collation_connection":            "utf8mb4_general_ci",
	"collation_database":              "utf8mb4_general_ci",
	"collation_server":                "utf8mb4_general_ci",
	"default_storage_engine":          "Millrace",
	"default_authentication_plugin":   pluginSHA2,
	"div_precision_increment":         "4",
	"event_scheduler":                 "OFF",
	"explicit_defaults_for_timestamp": "1",
	"foreign_key_checks":              "1",
	"group_concat_max_len":            "1048576",
	"have_openssl":                    "DISABLED",
	"have_profiling":                  "NO",
	"have_ssl":                        "DISABLED",
	"hostname":                        "millrace",
	"init_connect":                    "",
	"innodb_lock_wait_timeout":        "50",
	"interactive_timeout":             "28800",
	"language":                        "english",
	"license":                         "Apache-2.0",
	"lock_wait_timeout":               "31536000",
	"lower_case_file_system":          "OFF",
	"lower_case_table_names":          "2",
	"max_allowed_packet":              strconv.Itoa(maxPacketBytes),
	"max_connections":                 strconv.Itoa(maxConnections),
	"max_execution_time":              "0",
	"net_buffer_length":               "16384",
	"net_read_timeout":                "30",
	"net_write_timeout":               strconv.Itoa(int(writeTimeout.Seconds())),
	"optimizer_switch":                "",
	"performance_schema":              "0",
	"profiling":                       "0",
	"protocol_version":                "10",
	"query_cache_size":                "0",
	"query_cache_type":                "OFF",
	"read_only":                       "0",
	"session_track_schema":            "0",
	"session_track_system_variables":  "",
	"session_track_transaction_info":  "OFF",
	"sql_auto_is_null":                "0",
	"sql_big_selects":                 "1",
	"sql_buffer_result":               "0",
	"sql_log_bin":                     "0",
	"sql_mode":                        "STRICT_TRANS_TABLES",
	"sql_notes":                       "1",
	"sql_quote_show_create":           "1",
	"sql_safe_updates":                "0",
	"sql_select_limit":                "18446744073709551615",
	"sql_warnings":                    "0",
	"ssl_cipher":                      "",
	"storage_engine":                  "Millrace",
	"super_read_only":                 "0",
	"system_time_zone":                "UTC",
	"timestamp":                       "0",
	"transaction_isolation":           "READ-COMMITTED",
	"transaction_read_only":           "0",
	"tx_isolation":                    "READ-COMMITTED",
	"tx_read_only":                    "0",
	"unique_checks":                   "1",
	"version":                         serverVersion,
	"version_comment":                 "Millrace stream SQL",
	"version_compile_machine":         "",
	"version_compile_os":              "",
	"wait_timeout":                    "28800",
	"windowing_use_high_precision":    "1",
	"views_as_tables":                 "0",
}

// scopes may stand between @@ and the name.
var scopes = []string{"session.", "global.", "local.", "persist.", "persist_only."}

// variableName gives the plain name: lower case, without @@, scope and quotes. Names of users keep their @.
func variableName(s string) string {
	s = strings.ToLower(strings.NewReplacer("`", "", "'", "", `"`, "", " ", "").Replace(s))
	s = strings.TrimPrefix(s, "@@")
	for _, scope := range scopes {
		if rest, ok := strings.CutPrefix(s, scope); ok {
			return rest
		}
	}
	return s
}

// variable finds the value that this connection sees: what it has set, the engine's, MySQL's.
func (c *conn) variable(name string) (string, bool) {
	name = variableName(name)
	if v, ok := c.vars[name]; ok {
		return v, true
	}
	if c.effective(name) {
		return c.session.Variables()[name], true
	}
	v, ok := mysqlVariables[name]
	return v, ok
}

// effective tells whether the engine gives a meaning to the variable.
func (c *conn) effective(name string) bool {
	if _, shadowed := mysqlVariables[name]; shadowed {
		return false
	}
	_, ok := c.session.Variables()[name]
	return ok
}

// allVariables are the names of SHOW VARIABLES, in order.
func (c *conn) allVariables() []string {
	var names []string
	for n := range mysqlVariables {
		names = append(names, n)
	}
	for n := range c.session.Variables() {
		if c.effective(n) {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names
}
