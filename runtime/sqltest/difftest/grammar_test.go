package difftest

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// leaves are the literals and columns of each kind.
var leaves = map[string][]string{
	"int":     {"id", "i", "k", "b", "0", "1", "-1", "2", "7", "-13", "100", "255", "65536", "2147483647", "9223372036854775807", "-9223372036854775807", "NULL"},
	"uint":    {"u", "18446744073709551615", "CAST(5 AS UNSIGNED)"},
	"si":      {"id", "k", "0", "1", "2", "3", "-1", "-2", "5", "NULL"}, // small integers
	"dec":     {"d", "e", "0.0", "1.5", "-2.25", "0.001", "100.00", "99.995", "-0.5", "12345678.9", "NULL", "q", "g", "1234567890123456789012345678901234567890"},
	"listed":  {"en", "st"},
	"packed":  {"20240229", "240229", "19991231235959", "20231301", "102030", "0", "-102030", "8385959", "d", "k", "20260131.5", "NULL"},
	"dbl":     {"f", "1e0", "2.6e-1", "-1e3", "0e0", "3.6e0"},
	"str":     {"s", "w", "n", "''", "'abc'", "'ABC'", "'it''s'", "'héllo'", "'日本語'", "'a,b,c'", "' pad '", "'0'", "'x'", "'a b'", "NULL", "'%'", "'ß'"},
	"date":    {"dt", "DATE '2024-02-29'", "DATE '2026-01-31'", "DATE '1999-12-31'", "DATE '2000-01-01'"},
	"dttm":    {"ts", "CAST('2024-02-29 12:34:56' AS DATETIME(6))", "CAST('2026-10-25 01:30:00.5' AS DATETIME(6))", "CAST(dt AS DATETIME(6))"},
	"time":    {"tm", "TIME '10:20:30'", "TIME '23:59:59'"},
	"bool":    {"bo", "TRUE", "FALSE", "NULL"},
	"json":    {"j", `'{"a": 1, "b": {"c": [1, 2, 3]}}'`, `'[1, "x", null, true, 2.5]'`, `'{"a": "q\\"q", "é": "ü"}'`},
	"path":    {"'$'", "'$.a'", "'$.b'", "'$.b.c'", "'$[0]'", "'$[1]'", "'$.a[0].b'", "'$.b[2].c'", "'$.b.a[1]'"},
	"unit":    {"SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"},
	"part":    {"YEAR", "MONTH", "DAY", "QUARTER", "WEEK", "HOUR", "MINUTE", "SECOND", "MICROSECOND"},
	"cmp":     {"=", "<>", "<", "<=", ">", ">=", "<=>"},
	"like":    {"'%'", "'a%'", "'%c'", "'_bc'", "'%b%'", "'a\\\\%b%'", "'A_C'", "'%é%'", "''", "'日%'", "'%\\\\_%'"},
	"re":      {"'^a'", "'[0-9]+'", "'b|c'", "'^$'", "'a.*c$'", "'[[:alpha:]]'", "'^.{3}$'", "'(ab)+'", "'x?'"},
	"fmt":     {"'%Y-%m-%d'", "'%H:%i:%s'", "'%W %M %e %Y'", "'%y%m%d %T'", "'%j %U %u'", "'%a %b %c %k %l %p'", "'%D %f %r'", "'%X-%V'", "'%x-%v'", "'%w %h %I %%'"},
	"rlit":    {"0", "1", "2", "-1", "-2"},
	"lit":     {"0", "1", "2", "3", "-1", "-2", "5", "10"},
	"delim":   {"','", "' '", "'a'", "'.'", "'l'"},
	"rre":     {"'^a'", "'[0-9]+'", "'b|c'", "'a.*c$'", "'[[:alpha:]]'"}, // none that matches nothing: MariaDB does not replace it
	"cpart":   {"YEAR_MONTH", "DAY_HOUR", "HOUR_MINUTE", "WEEK", "QUARTER"},
	"yr":      {"2023", "2024", "1999", "2000"},
	"strnum":  {"n", "'12'", "'-7'", "'3.75'", "' 8'", "'1e2'", "'0.000'", "'+5'", "'.5'", "'-0'"},
	"strdate": {"'2024-02-29'", "'2024-2-9'", "'2023-02-29'", "'2024-02-29 10:20:30'", "'2024-02-29 10:20:30.123456'", "'2024-02-29T01:02:03'", "'20240229'", "'9999-12-31'", "'nonsense'", "''", "NULL", "'2024-13-01'", "'2024-02-29 25:00:00'"},
	"strtime": {"'10:20:30'", "'-01:02:03'", "'100:00:00'", "'10:20'", "'00:00:00.5'", "'839:00:00'", "'x'", "NULL"},
	"flit":    {"0", "1", "2", "4"},
	"dunit":   {"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"},
}

// rules are the ways to make each kind: `{kind}` is a smaller expression.
var rules = map[string][]string{
	"int": {
		"({listed} + {si})", "(y + {si})", "find_in_set({str}, st)", "length({listed})", "CAST({listed} AS SIGNED)", "CAST(y AS SIGNED)", "abs(y)", "y DIV 7", "field({listed}, 'small', 'a', 'b')", "greatest(y, {si})", "CAST(CAST({packed} AS DATE) AS SIGNED)",
		"position({str} IN {str})", "instr({str}, {str})", "extract({cpart} FROM {dttm})", "CAST({date} AS SIGNED)", "CAST(time(ts) AS SIGNED) => CAST(truncate(CAST(time(ts) AS DECIMAL(20,6)), 0) AS SIGNED)", "({bool} + {si})", "({date} = {date}) + 1", "week({dttm}, 1)", "dayofyear({date})", "timestampdiff({unit}, {date}, {dttm})", "timestampdiff(MICROSECOND, {dttm}, {dttm})", "datediff({dttm}, {date})", "field({int}, {int}, {si})", "field({si}, 1, 2, 3)", "({int} DIV {dec})", "({uint} & {si})", "sign({dec})", "sign({dbl})", "char_length(trim({str}))", "locate({delim}, {str}, {lit})", "to_days({date}) - to_days(DATE '2000-01-01')", "octet_length({str})", "(- {si}) - 1", "length(CAST({int} AS CHAR))", "ifnull(nullif({si}, {si}), {int})", "crc32(concat({str}, {si}))", "hour(sec_to_time({si} * 10000))", "CAST({strnum} AS SIGNED)", "strcmp({str}, {like})",
		"({int} + {int})", "({int} - {int})", "({si} * {si})", "({int} * {si})", "({int} DIV {int})", "({int} % {int})", "(- {int})", "({dec} DIV {dec})", "({dec} DIV {si})", "abs({int})", "sign({num})",
		"mod({int}, {si})", "ceil({dec})", "floor({dec})", "round({int}, {lit})", "truncate({int}, {lit})", "greatest({int}, {int}, {si})", "least({int}, {int})",
		"length({str})", "char_length({str})", "bit_length({str})", "locate({str}, {str})", "locate({str}, {str}, {si})", "instr({str}, {str})", "strcmp({str}, {str})",
		"field({str}, {str}, {str})", "find_in_set({str}, {str})", "ascii({str})", "ord({str})", "bit_count({si})", "crc32({str})",
		"year({tmp})", "month({tmp})", "day({tmp})", "quarter({tmp})", "hour({dttm})", "minute({dttm})", "second({dttm})", "microsecond({dttm})", "dayofweek({tmp})",
		"weekday({tmp})", "dayofyear({tmp})", "weekofyear({tmp})", "to_days({tmp})", "week({tmp})", "week({date}, 0)", "week({date}, 1)", "week({date}, 2)", "week({date}, 3)",
		"week({date}, 4)", "week({date}, 5)", "week({date}, 6)", "week({date}, 7)", "yearweek({date})", "yearweek({date}, 1)", "yearweek({date}, 3)",
		"extract({part} FROM {dttm})", "timestampdiff({unit}, {dttm}, {dttm})", "timestampdiff({unit}, {date}, {date})", "datediff({tmp}, {tmp})", "time_to_sec({time}) => CAST(truncate(time_to_sec({1}), 0) AS SIGNED)",
		"hour({time})", "minute({time})", "second({time})",
		"json_length({json})", "json_length({json}, {path})", "CAST({num} AS SIGNED)", "CAST(n AS SIGNED)", "CAST({str} AS SIGNED)", "CAST({bool} AS SIGNED)", "minute(sec_to_time({si} * 100))",
		"if({bool}, {int}, {int})", "ifnull({int}, {int})", "coalesce({int}, {si}, {int})", "nullif({int}, {int})", "CASE WHEN {bool} THEN {int} WHEN {bool} THEN {int} ELSE {int} END",
		"CASE {si} WHEN {si} THEN {int} WHEN 1 THEN {si} END", "(~{si} & 255)", "({si} & {si})", "({si} | {si})", "({si} ^ {si})", "(abs({si}) << {lit})", "(abs({si}) >> {lit})",
		"regexp_instr({str}, {re})", "floor(unix_timestamp({dttm}))", "isnull({any})",
	},
	"uint": {"({uint} & {uint})", "({uint} | {si})", "({uint} + 1)", "({uint} - 1)", "({uint} DIV 2)", "(~{si})", "({uint} >> 3)", "CAST({si} AS UNSIGNED)", "({uint} % 10)", "ifnull({uint}, {uint})"},
	"dec": {
		"CAST({dec} AS DECIMAL(65,30))", "CAST({dec} AS DECIMAL(60,2))", "(q * {si})", "(g + {dec})", "(g / {si})", "(q - {int})", "round(q, {rlit})", "truncate(g, {rlit})", "({dec} % g)", "CAST({packed} AS DECIMAL(40,2))", "greatest(q, {dec})",
		"CAST({strnum} AS DECIMAL(12,4))", "CAST({dbl} AS DECIMAL(12,3))", "CAST({date} AS DECIMAL(12,0))", "({uint} + {dec})", "({uint} / {si})", "({dec} DIV {si}) + 0.5", "abs({dec} - {dec})", "ceil({dec}) + {dec}", "greatest({int}, {dec})", "CASE {int} WHEN 1 THEN {int} WHEN 2 THEN {dec} ELSE 0.125 END", "if({bool}, {int}, 1.25)", "({dec} / 3)", "({dec} * {si} / 7)", "({bool} * {dec})", "mod({dec}, {dec})", "round({dec}, {rlit})", "nullif({dec}, {dec})", "(1.0 / {si})", "truncate({dec}, {rlit})",
		"({dec} + {dec})", "({dec} - {dec})", "({dec} * {dec})", "({dec} / {dec})", "({si} / {si})", "({int} / {si})", "({dec} / {si})", "({dec} + {int})", "({dec} % {dec})", "({int} - {dec})",
		"(- {dec})", "abs({dec})", "round({dec})", "round({dec}, {rlit})", "truncate({dec}, {rlit})", "greatest({dec}, {si})", "least({dec}, {dec}, {si})", "mod({dec}, {si})",
		"CAST({num} AS DECIMAL(12,3))", "CAST({int} AS DECIMAL(20,2))", "CAST(n AS DECIMAL(10,4))", "if({bool}, {dec}, {si})", "coalesce({dec}, {dec})", "nullif({dec}, {si})",
		"CASE WHEN {bool} THEN {dec} ELSE {si} END", "CASE {dec} WHEN {si} THEN {dec} ELSE 0 END",
	},
	"dbl": {
		"CAST({strnum} AS DOUBLE)", "({dbl} / {dbl})", "({dec} * {dbl})", "({si} - {dbl})", "power({dbl}, 2)", "sqrt(abs({num}))", "ln(abs({num}))", "({uint} * {dbl})", "least({dbl}, {dec})", "CASE WHEN {bool} THEN {dbl} ELSE {int} END", "nullif({dbl}, {si})", "mod({dbl}, {si})",
		"({dbl} + {num})", "({dbl} - {dbl})", "({dbl} * {num})", "({dbl} / {num})", "sqrt({num})", "exp({si})", "ln({num})", "log2({num})", "log10({num})", "log({num})", "log({si}, {num})",
		"power({si}, {si})", "pow({dec}, {si})", "degrees({dbl})", "radians({num})", "sin({num})", "cos({num})", "tan({si})", "asin(f)", "acos(f)", "atan({num})", "atan2({num}, {dbl})",
		"round({dbl}, 6)", "truncate({dbl}, {lit})", "abs({dbl})", "ceil({dbl})", "floor({dbl})", "CAST({num} AS DOUBLE)", "CAST(n AS DOUBLE)", "if({bool}, {dbl}, {num})", "({dbl} % {num})", "greatest({dbl}, {num})",
		"coalesce({dbl}, {dec})", "(- {dbl})", "cot({si})",
	},
	"num": {"{int}", "{dec}", "{dbl}", "{si}", "{si}", "{int}"},
	"str": {
		"CAST({listed} AS CHAR)", "concat({listed}, {str})", "upper(en)", "concat(y, '')", "CAST(q AS CHAR)", "if({bool}, en, {str})", "coalesce({listed}, {str})", "left({listed}, {lit})",
		"concat_ws({str}, {str}, {si})", "mid({str}, {si}, {lit})", "substring({str} FROM {lit} FOR {lit})", "TRIM({delim} FROM {str})", "TRIM(LEADING {delim} FROM {str})", "date_format({dttm}, {fmt})", "replace({str}, {delim}, 'Z')", "substring_index(concat({str}, ',', {str}), ',', {lit})", "upper(lower({str}))", "concat({bool}, {si})", "CAST({bool} AS CHAR)", "CAST({si} AS CHAR(1))", "lpad(CAST({si} AS CHAR), 4, '0')", "rpad({str}, {lit}, {delim})", "left({str}, {lit})", "concat({dec}, '|', {int})", "reverse(upper({str}))", "elt({lit}, 'a', {str})", "hex({int})", "conv({str}, 36, 10)", "conv({si}, 10, 16)", "if({str} = {str}, 'same', {str})", "ifnull({str}, {si})", "coalesce(NULL, {str}, {dec})", "CASE WHEN {bool} THEN {str} ELSE {si} END", "format({dec}, {flit})", "format({int}, 0)", "date_format({strdate}, {fmt})", "ucase({str})", "greatest({str}, 'm', {str})", "nullif({str}, 'abc')", "CAST({uint} AS CHAR)", "left(CAST({dttm} AS CHAR), 19)", "json_unquote(json_extract({json}, '$.a')) => (json_unquote(json_extract({1}, '$.a')) COLLATE utf8mb4_nopad_bin)", "json_unquote({json}) => (json_unquote({1}) COLLATE utf8mb4_nopad_bin)",
		"concat({str}, {str})", "concat({str}, {si}, {dec})", "concat_ws({delim}, {str}, {str}, {si})", "lower({str})", "upper({str})", "substring({str}, {si})", "substring({str}, {si}, {si})",
		"left({str}, {si})", "right({str}, {si})", "trim({str})", "ltrim({str})", "rtrim({str})", "lpad({str}, {lit}, {str})", "rpad({str}, {lit}, {str})", "replace({str}, {str}, {str}) => if({3} IS NULL, NULL, replace({1}, {2}, {3}))", "reverse({str})",
		"repeat({str}, {si})", "space({si})", "substring_index({str}, {delim}, {lit})", "elt({si}, {str}, {str}, {str})", "hex({str})", "hex({si})", "CAST(unhex(hex({str})) AS CHAR) => (CONVERT(unhex(hex({1})) USING utf8mb4) COLLATE utf8mb4_nopad_bin)", "md5({str})",
		"sha1({str})", "sha2({str}, 256)", "conv({si}, 10, 2)", "conv({str}, 16, 10)", "conv(id, 10, 36)", "({str} || {str})", "CAST({int} AS CHAR)", "CAST({dec} AS CHAR)", "CAST({date} AS CHAR)",
		"CAST(tm AS CHAR)", "dayname({tmp})", "monthname({tmp})", "date_format({tmp}, {fmt})", "from_unixtime(id * 100000, {fmt})", "if({bool}, {str}, {str})", "ifnull({str}, {str})", "coalesce({str}, {str}, {str})",
		"nullif({str}, {str})", "CASE WHEN {bool} THEN {str} ELSE {str} END", "CASE {str} WHEN {str} THEN {str} END", "greatest({str}, {str})", "least({str}, {str})", "regexp_replace({str}, {rre}, 'X')", "regexp_substr({str}, {re}) => if({1} REGEXP {2}, regexp_substr({1}, {2}), NULL)",
		"json_unquote(json_extract({json}, {path})) => (json_unquote(json_extract({1}, {2})) COLLATE utf8mb4_nopad_bin)", "json_type({json}) => (CONVERT(json_type({1}) USING utf8mb4) COLLATE utf8mb4_nopad_bin)", "json_value({json}, {path}) => (json_value({1}, {2}) COLLATE utf8mb4_nopad_bin)", "json_quote({str}) => (json_quote({1}) COLLATE utf8mb4_nopad_bin)", "TRIM(LEADING 'a' FROM {str})", "TRIM(BOTH ' ' FROM {str})", "TRIM(TRAILING 'c' FROM {str})",
		"to_base64({str})", "CAST(from_base64(to_base64({str})) AS CHAR) => (CONVERT(from_base64(to_base64({1})) USING utf8mb4) COLLATE utf8mb4_nopad_bin)", "CAST({str} AS CHAR(3))", "concat({date}, '')",
	},

	"date": {
		"CAST({packed} AS DATE)",
		"CAST({strdate} AS DATE)", "date({strdate})", "last_day({strdate})", "str_to_date({strdate}, '%Y-%m-%d')", "makedate({yr}, {int})", "({date} + INTERVAL 1 DAY - INTERVAL 1 MONTH)", "date({dttm} + INTERVAL {si} HOUR)", "from_days(to_days({date}) + {si})", "nullif({date}, DATE '2024-02-29')", "CASE WHEN {bool} THEN {date} END", "if({date} > {date}, {date}, NULL)",
		"({date} + INTERVAL {si} {dunit})", "({date} - INTERVAL {si} {dunit})", "date_add({date}, INTERVAL {si} {dunit})", "date_sub({date}, INTERVAL {si} {dunit})", "last_day({tmp})", "date({dttm})", "CAST({dttm} AS DATE)",
		"makedate(2024, {si})", "from_days(730000 + {si})", "if({bool}, {date}, {date})", "coalesce({date}, {date})", "greatest({date}, {date})", "least({date}, {date})", "adddate({date}, {si})", "subdate({date}, {si})", "str_to_date(date_format({date}, '%d.%m.%Y'), '%d.%m.%Y')",
		"nullif({date}, {date})", "CAST(date_format({tmp}, '%Y-%m-%d') AS DATE)",
	},

	"dttm": {
		"CAST({packed} AS DATETIME(6))", "CAST(ts AS DATETIME)", "CAST(ts AS DATETIME(2))",
		"CAST({strdate} AS DATETIME(6))", "({dttm} + INTERVAL '1-2' YEAR_MONTH)", "({dttm} - INTERVAL '1 2:3:4.5' DAY_MICROSECOND)", "({dttm} + INTERVAL '10:20' HOUR_MINUTE)", "({dttm} + INTERVAL '1:2:3' HOUR_SECOND)", "({dttm} + INTERVAL '-1 10' DAY_HOUR)", "({dttm} + INTERVAL {dec} SECOND)", "str_to_date('02/29/2024 11:22:33 PM', '%m/%d/%Y %r')", "str_to_date({strdate}, '%Y-%m-%d %H:%i:%s')", "coalesce({date}, {dttm})", "timestampadd(MINUTE, {si}, {dttm})", "from_unixtime({si} * 1000)",
		"({dttm} + INTERVAL {si} {unit})", "({dttm} - INTERVAL {si} {unit})", "date_add({dttm}, INTERVAL {si} {unit})", "date_sub({dttm}, INTERVAL {si} {unit})", "timestampadd({unit}, {si}, {dttm})", "({date} + INTERVAL {si} HOUR)",
		"from_unixtime(id * 12345)", "if({bool}, {dttm}, {dttm})", "coalesce({dttm}, {dttm})", "greatest({dttm}, {dttm})", "str_to_date(date_format({dttm}, '%Y%m%d %H%i%s'), '%Y%m%d %H%i%s')", "convert_tz({dttm}, '+00:00', '+05:30')",
		"({dttm} + INTERVAL '1:30' MINUTE_SECOND)", "({dttm} - INTERVAL '2 3' DAY_HOUR)", "({dttm} + INTERVAL 1.5 SECOND)", "({dttm} + INTERVAL {si} MICROSECOND)", "least({dttm}, CAST({date} AS DATETIME(6)))", "CASE WHEN {bool} THEN {date} ELSE {dttm} END",
	},
	"time": {
		"CAST({packed} AS TIME)", "CAST({dttm} AS TIME)",
		"CAST({strtime} AS TIME(6))", "sec_to_time({si} * 5000)", "nullif({time}, TIME '10:20:30')", "if({bool}, {time}, NULL)",
		"time({dttm})", "CAST({dttm} AS TIME(6))", "sec_to_time({si} * 100)", "if({bool}, {time}, {time})", "coalesce({time}, {time})"},
	"tmp": {"{date}", "{dttm}"},
	"bool": {
		"({listed} {cmp} {str})", "(en {cmp} 'large')", "(en {cmp} 2)", "(st {cmp} 'a,c')", "(y {cmp} 2000)", "(y {cmp} '2001')", "({listed} IN ('small', 'a', 'c'))", "(y BETWEEN 1970 AND 2010)", "(q {cmp} g)", "(q IN ({dec}, 1, g))", "({listed} IS NULL)", "(en = en)", "(st LIKE {like})",
		"({dttm} BETWEEN {date} AND {dttm})", "({time} BETWEEN {time} AND {time})", "({dec} IN ({dec}, {int}))", "({dbl} {cmp} {dec})", "({uint} {cmp} {uint})", "({bool} = {bool})", "({bool} IN ({bool}, {bool}))", "({str} IN ({str}, NULL))", "({int} IN (NULL, {int}))", "({str} NOT BETWEEN {str} AND {str})", "(({str}, {int}) IN (('abc', 1), ({str}, {si})))", "(({int}, {dec}) > ({int}, {dec}))", "(({si}, {date}) <= ({si}, {date}))", "(({si}, {str}) <> ({si}, {str}))", "(({si}, {str}) <=> ({si}, {str}))", "({int} BETWEEN {dec} AND {dbl})", "(NOT ({num} IN ({num}, {num})))", "({str} LIKE concat({str}, '%'))", "(concat({str}, '_') LIKE {like})", "({num} <=> {num})", "(({bool} XOR {bool}) IS NULL)", "((NOT {bool}) IS NOT TRUE)", "({si} IS TRUE)", "({dec} IS FALSE)", "if({si}, {bool}, {bool})", "({si} AND {bool})", "({int} LIKE '1%')", "({num} IS NULL) = ({any} IS NOT NULL)", "CASE {bool} WHEN TRUE THEN {bool} WHEN FALSE THEN {bool} END", "({int} = {int}) = {bool}",
		"({num} {cmp} {num})", "({int} {cmp} {dec})", "({str} {cmp} {str})", "({date} {cmp} {date})", "({dttm} {cmp} {dttm})", "({date} {cmp} {dttm})", "({time} {cmp} {time})", "({uint} {cmp} {int})", "({uint} {cmp} {dec})", "({dt} {cmp} '2024-02-29')", "({dttm} {cmp} '2024-02-29 10:00:00')",
		"({bool} AND {bool})", "({bool} OR {bool})", "({bool} XOR {bool})", "(NOT {bool})", "({any} IS NULL)", "({any} IS NOT NULL)", "({bool} IS TRUE)", "({bool} IS NOT TRUE)", "({bool} IS FALSE)", "({bool} IS NOT FALSE)", "({bool} IS UNKNOWN)",
		"({num} BETWEEN {num} AND {num})", "({int} NOT BETWEEN {int} AND {dec})", "({str} BETWEEN {str} AND {str})", "({date} BETWEEN {date} AND {date})", "({num} IN ({num}, {int}, NULL))", "({int} IN (1, 2, {int}))", "({str} IN ({str}, 'abc', {str}))", "({str} NOT IN ('x', {str}))",
		"({int} NOT IN ({si}, {dec}))", "({date} IN ({date}, '2024-02-29'))", "({str} LIKE {like})", "({str} NOT LIKE {like})", "({str} LIKE 'a|%%' ESCAPE '|')", "({str} REGEXP {re})", "({str} NOT REGEXP {re})", "({str} RLIKE {re})", "json_valid({jstr})", "json_exists({json}, {path})",
		"({int} = '1')", "({dec} < '2.5')", "(({si}, {si}) = (1, 2))", "if({bool}, {bool}, {bool})", "coalesce({bool}, {bool})", "CASE WHEN {bool} THEN {bool} ELSE {bool} END", "({str} LIKE {str})",
	},
	"dt":   {"{date}"},
	"jstr": {"{json}", "{str}"},
	"json": {
		"json_object('d', {dec}, 'e', {date}) => (json_object('d', {1}, 'e', {2}) COLLATE utf8mb4_nopad_bin)", "json_array({dec}, NULL, {dbl}) => (json_array({1}, NULL, {2}) COLLATE utf8mb4_nopad_bin)", "json_keys({json}, {path}) => (json_keys({1}, {2}) COLLATE utf8mb4_nopad_bin)", "json_extract({json}, '$.b[*]') => (json_extract({1}, '$.b[*]') COLLATE utf8mb4_nopad_bin)",
		"json_extract({json}, {path}) => (json_extract({1}, {2}) COLLATE utf8mb4_nopad_bin)", "json_object('k', {si}, 'v', {str}) => (json_object('k', {1}, 'v', {2}) COLLATE utf8mb4_nopad_bin)", "json_array({si}, {str}, {int}) => (json_array({1}, {2}, {3}) COLLATE utf8mb4_nopad_bin)", "json_keys({json}) => (json_keys({1}) COLLATE utf8mb4_nopad_bin)", "json_extract({json}, '$.*') => (json_extract({1}, '$.*') COLLATE utf8mb4_nopad_bin)", "json_extract({json}, '$[*]') => (json_extract({1}, '$[*]') COLLATE utf8mb4_nopad_bin)", "json_extract({json}, '$.b') => (json_extract({1}, '$.b') COLLATE utf8mb4_nopad_bin)"},
	"any": {"{num}", "{str}", "{date}", "{bool}", "{dttm}"},
}

// roots are the kinds an expression may have.
var roots = []string{"int", "uint", "dec", "dbl", "str", "date", "dttm", "time", "bool", "bool", "json", "int", "dec", "str"}

// generator draws expressions.
type generator struct {
	r             *rand.Rand
	leaves, rules map[string][]string
}

// pair is an expression in both dialects.
type pair struct{ ours, theirs string }

func (g *generator) pick(of []string) string { return of[g.r.IntN(len(of))] }

// expression draws an expression of a kind with at most depth levels. A rule `ours => theirs` names its n-th smaller expression {n}
// on the right.
func (g *generator) expression(kind string, depth int) pair {
	rs, ls := g.rules[kind], g.leaves[kind]
	if len(rs) == 0 || len(ls) > 0 && (depth == 0 || g.r.IntN(4) == 0) {
		leaf := g.pick(ls)
		return pair{leaf, leaf}
	}
	left, right, both := strings.Cut(g.pick(rs), " => ")
	var ours, theirs strings.Builder
	var parts []pair
	rest := left
	for {
		i := strings.IndexByte(rest, '{')
		if i < 0 {
			break
		}
		j := i + strings.IndexByte(rest[i:], '}')
		p := g.expression(rest[i+1:j], max(depth-1, 0))
		parts = append(parts, p)
		ours.WriteString(rest[:i] + p.ours)
		theirs.WriteString(rest[:i] + p.theirs)
		rest = rest[j+1:]
	}
	out := pair{ours.String() + rest, theirs.String() + rest}
	if both {
		var names []string
		for k, p := range parts {
			names = append(names, "{"+strconv.Itoa(k+1)+"}", p.theirs)
		}
		out.theirs = strings.NewReplacer(names...).Replace(right)
	}
	return out
}
