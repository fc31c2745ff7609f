package difftest

// Rules for the functions of MariaDB that are neither arithmetic nor everyday, and their leaves.

func init() {
	for kind, list := range functionLeaves {
		leaves[kind] = append(leaves[kind], list...)
	}
	for kind, list := range functionRules {
		rules[kind] = append(rules[kind], list...)
	}
}

var functionLeaves = map[string][]string{
	"ip":     {"'10.0.5.9'", "'255.255.255.255'", "'0.0.0.0'", "'10.0.5.256'", "'fdfe::5a55:caff:fefa:9089'", "'::1'", "'::ffff:10.0.5.9'", "'x'", "NULL"},
	"ip4":    {"'10.0.5.9'", "'255.255.255.255'", "'0.0.0.0'", "'1.2.3.4'", "NULL"},
	"period": {"202601", "202512", "199912", "9812"},
	"epart":  {"YEAR_MONTH", "DAY_HOUR", "DAY_MINUTE", "DAY_SECOND", "DAY_MICROSECOND", "HOUR_MINUTE", "HOUR_SECOND", "HOUR_MICROSECOND", "MINUTE_SECOND", "MINUTE_MICROSECOND", "SECOND_MICROSECOND"},
	"tfmt":   {"'%H:%i:%s'", "'%T'", "'%k'", "'%i %S %f'"},
	"cand":   {"'1'", "'[1, 2]'", `'{"a": 1}'`, `'"x"'`, "'null'", "'{}'"},
	"epath":  {"'$.a'", "'$.b'", "'$.z'", "'$.b.c'", "'$[0]'", "'$[1]'", "'$[9]'", "'$.b.c[0]'"},
	"word":   {"'Hello'", "'Quadratically'", "'Robert'", "'Rupert'", "'Tymczak'", "'a'", "''", "NULL"},
}

var functionRules = map[string][]string{
	"int": {"interval({si}, -1, 0, 2, 5)", "inet_aton({ip4})", "period_add({period}, {si})", "period_diff({period}, {period})", "to_seconds({tmp})", "extract({epart} FROM {dttm})",
		"uncompressed_length(compress({str}))", "json_depth({json})", "length(hex(aes_encrypt({str}, 'key')))", "strcmp(soundex({word}), soundex({word}))", "bit_count({int})", "length(random_bytes(8))"},
	"str": {"insert({str}, {si}, {si}, {str})", "make_set({si}, {str}, {str}, {str})", "export_set({si}, 'Y', 'N', ',', 5)", "soundex({word})", "quote({str})", "bin({si})", "oct({si})", "hex(aes_encrypt({str}, 'key'))",
		"CAST(aes_decrypt(aes_encrypt({str}, 'key'), 'key') AS CHAR)", "inet_ntoa(abs({si}))", "inet6_ntoa(inet6_aton({ip}))", "hex(inet6_aton({ip}))", "time_format({time}, {tfmt})", "get_format(DATE, 'EUR')", "get_format(DATETIME, 'USA')",
		"CAST(uncompress(compress({str})) AS CHAR)", "sha2({str}, 512)", "monthname({date})", "dayname({date})", "concat(soundex({word}), 'x')"},
	"time": {"addtime({time}, {time})", "subtime({time}, {time})", "timediff({time}, {time})", "timediff({dttm}, {dttm})", "maketime({si}, {lit}, {lit})"},
	"dttm": {"addtime({dttm}, {time})", "subtime({dttm}, {time})", "timestamp({date}, {time})", "timestamp({dttm})"},
	"bool": {"(is_ipv4({ip}) = 1)", "(is_ipv6({ip}) = 1)", "(is_ipv4_compat(inet6_aton({ip})) = 1)", "(is_ipv4_mapped(inet6_aton({ip})) = 1)", "(json_contains({json}, {cand}) = 1)", "(json_contains_path({json}, 'one', {path}, {path}) = 1)",
		"(json_contains_path({json}, 'all', {path}, {path}) = 1)", "(json_overlaps({json}, {cand}) = 1)"},
	"json": {"json_set({json}, {epath}, {si}) => (json_set({1}, {2}, {3}) COLLATE utf8mb4_nopad_bin)", "json_insert({json}, {epath}, {str}) => (json_insert({1}, {2}, {3}) COLLATE utf8mb4_nopad_bin)",
		"json_replace({json}, {epath}, {si}) => (json_replace({1}, {2}, {3}) COLLATE utf8mb4_nopad_bin)", "json_remove({json}, {epath}) => (json_remove({1}, {2}) COLLATE utf8mb4_nopad_bin)",
		"json_array_append({json}, {epath}, {si}) => (json_array_append({1}, {2}, {3}) COLLATE utf8mb4_nopad_bin)", "json_merge_patch({json}, {json}) => (json_merge_patch({1}, {2}) COLLATE utf8mb4_nopad_bin)",
		"json_merge_preserve({json}, {json}) => (json_merge_preserve({1}, {2}) COLLATE utf8mb4_nopad_bin)", "json_search({json}, 'all', 'x') => (json_search({1}, 'all', 'x') COLLATE utf8mb4_nopad_bin)"},
}
