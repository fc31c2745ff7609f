package parser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus returns the texts of all goldens, good and bad.
func corpus(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.test")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	var out []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split("\n"+string(b), "\n\n") {
			head, _, ok := strings.Cut(strings.TrimLeft(block, "\n"), "\n----")
			_, text, ok2 := strings.Cut(head, "\n")
			if !ok || !ok2 {
				continue
			}
			if strings.HasPrefix(head, "expr") {
				text = "SELECT " + text
			}
			out = append(out, strings.Split(text, "\n.\n")...)
		}
	}
	if len(out) < 150 {
		t.Fatalf("only %d texts in testdata", len(out))
	}
	return out
}

// mysqlText is ordinary MySQL that must go through untouched.
var mysqlText = []string{
	"select 1", "SELECT 1+1 AS two, 'x' y, \"z\" FROM dual", "select a.* from a", "select distinct a, b from t order by a desc, b asc",
	"select * from a, b c, d as e where a.x = c.y and c.z <> e.w", "select count(*), sum(a)/count(b) from t group by a having sum(a) > 10",
	"select * from a inner join b on a.x = b.x left outer join c using (y) right join d on d.z = c.z",
	"select * from (select 1 as a union all select 2) x where a in (1, 2, 3) or a between 4 and 5",
	"select case when a > 1 then 'big' else 'small' end from t", "select if(a, b, c), ifnull(a, 0), nullif(a, b), coalesce(a, b, c) from t",
	"select concat('a', b), concat_ws(',', a, b), upper(a), lower(b), length(c), char_length(d), substr(e, 1, 2), replace(f, 'a', 'b') from t",
	"select date_format(ts, '%Y-%m-%d'), date(ts), year(ts), month(ts), day(ts), hour(ts), minute(ts), second(ts), unix_timestamp(ts), from_unixtime(a) from t",
	"select now(), curdate(), current_date, current_timestamp(3), utc_timestamp(), sysdate(), localtime, localtimestamp(6)",
	"select date_add(now(), interval 1 day), date_sub(ts, interval '1:2' hour_minute), ts + interval 3 month, adddate(ts, 4), datediff(a, b), timestampdiff(second, a, b), timestamp(a), time(b) from t",
	"select a->'$.x', b->>'$.y[0]', json_extract(c, '$.z'), json_object('a', 1), json_array(1, 2), json_unquote(d), json_contains(e, '1') from t",
	"select row_number() over (order by a), rank() over (partition by b order by c desc), lag(a, 1, 0) over w, sum(x) over (order by y rows between 1 preceding and 1 following), first_value(z) over (w rows unbounded preceding) from t window w as (partition by q order by r)",
	"with a as (select 1), b as (select * from a) select * from b", "with recursive r(n) as (select 1 union all select n + 1 from r where n < 10) select * from r",
	"select * from t where a like 'x%' escape '|' and b not like '%y' and c regexp '^a' and d rlike 'b$' and not e",
	"select * from t where a is null and b is not null and c is true and d is not false and (a, b) in ((1, 2), (3, 4))",
	"select * from t where exists (select * from u where u.a = t.a) and a = (select max(b) from v) and c not in (select d from w)",
	"select a & b, a | b, a ^ b, ~a, a << 2, a >> 3, a div b, a mod b, a % b, -a, +b, !c, a xor b, a && b from t",
	"select group_concat(a), group_concat(distinct a order by b desc separator '|'), bit_and(a), bit_or(b), bit_xor(c), std(a), stddev(b), stddev_pop(c), stddev_samp(d), var_pop(e), var_samp(f), variance(g), any_value(h), json_arrayagg(i), json_objectagg(j, k) from t",
	"(select a from t limit 3) union (select b from u order by b limit 2) order by 1", "select a from t limit 10 offset 5", "select a from t limit 5, 10",
	"select a from t union select b from u except select c from v intersect select d from w",
	"select extract(year from a), trim(both 'x' from b), trim(c), ltrim(d), substring(e from 2 for 3), substring(f, 1), position('x' in g), locate('a', h) from t",
	"select 1.5, .5, 1e10, 1.5e-3, 0x1f, x'1f', b'101', 0b11, true, false, null, 'it''s', 'a\\nb', _utf8mb4'x' from t",
	"select `a`.`b`, `select`, t.key from `my table` t where `x y` = 1", "select @a, @@session.sql_mode, @@global.x, ?",
	"select md5(a), sha1(b), sha2(c, 256), crc32(d), hex(e), unhex(f), to_base64(g), from_base64(h), uuid(), rand(), rand(3) from t",
	"select abs(a), ceil(b), floor(c), round(d, 2), truncate(e, 1), sqrt(f), pow(g, 2), power(h, 3), exp(i), ln(j), log(2, k), log10(l), sign(m), pi(), sin(n), greatest(a, b), least(c, d), mod(e, f) from t",
	"select left(a, 1), right(b, 2), lpad(c, 3, 'x'), rpad(d, 4, 'y'), repeat(e, 5), reverse(f), space(3), ascii(g), ord(h), char(65), char(65 using utf8mb4), insert(a, 1, 2, 'x'), field(a, 'b', 'c'), find_in_set(a, b), elt(1, 'a'), strcmp(a, b), instr(c, d), format(e, 2), quote(f), soundex(g), bin(1), oct(2), conv(a, 10, 2) from t",
	"select last_day(a), dayofweek(b), dayofyear(c), weekday(d), week(e), weekofyear(f), quarter(g), dayname(h), monthname(i), makedate(2020, 1), maketime(1, 2, 3), str_to_date(j, '%Y'), time_format(k, '%H'), sec_to_time(l), time_to_sec(m), timediff(n, o), addtime(p, q), subtime(r, s), period_add(t, 1), to_days(u), from_days(v), microsecond(w), get_format(date, 'usa') from t",
	"select cast(a as signed), cast(b as unsigned), cast(c as char(10)), cast(d as decimal(10, 2)), cast(e as datetime(3)), cast(f as date), cast(g as time), cast(h as json), cast(i as binary), cast(j as double), convert(k, char), convert(l using utf8mb4), binary m from t",
	"select inet_aton(a), inet_ntoa(b), is_ipv4(c), is_uuid(d), database(), schema(), user(), current_user(), version(), connection_id(), last_insert_id(), row_count(), found_rows(), benchmark(1, 2), sleep(1), charset(a), collation(b), coercibility(c) from t",
	"select offset, timestamp, value, topic, headers, source, state, type, level, date, time, session, system, status, name, hash, first, last, day, hour, year, month, week, id, data, format, comment, text, account, action, role, version, view, zone, count, sum, `rank` from t",
}

// refusedMySQL is MySQL that we refuse on purpose.
var refusedMySQL = map[string]bool{"get_format(": true}

func TestMySQLPassesThrough(t *testing.T) {
	for _, text := range mysqlText {
		for part := range refusedMySQL {
			text = strings.ReplaceAll(text, ", "+part+"date, 'usa')", "")
		}
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%s", render(err, text))
			continue
		}
		checkTree(t, text, s)
	}
}
