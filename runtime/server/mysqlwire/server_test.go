package mysqlwire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/sql/types"
)

const (
	makeTicks = "CREATE SOURCE ticks (id BIGINT, item VARCHAR(6)) WITH (connector='datagen', rows_per_second='1000', fields.id.kind='sequence')"
	makeFew   = "CREATE SOURCE few (id BIGINT, d DECIMAL(8,2), s VARCHAR(6)) WITH (connector='datagen', number_of_rows='3', rows_per_second='0', fields.id.kind='sequence')"
)

func TestLogin(t *testing.T) {
	h := startServer(t, Options{})
	for _, caps := range []uint32{0, capDeprecateEOF} {
		for _, plugin := range []string{pluginSHA2, pluginNative, "mysql_clear_password", ""} {
			for _, auth := range []string{"", strings.Repeat("h", 20)} {
				c, err := h.connect(caps, plugin, auth)
				if err != nil {
					t.Errorf("%q with %q: %v", plugin, auth, err)
					continue
				}
				if got := c.query("SELECT 1+1, NULL, 'x'"); got != "2|NULL|x" {
					t.Errorf("%q with %q: %s", plugin, auth, got)
				}
				c.nc.Close()
			}
		}
	}
}

func TestChatter(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeFew, "CREATE VIEW best AS SELECT id,\n d FROM few")
	c := h.dial()
	for _, x := range []struct{ sql, want string }{
		{"SELECT @@version_comment LIMIT 1", "Millrace stream SQL"},
		{"SELECT @@session.auto_increment_increment AS auto_increment_increment, @@tx_isolation AS t, @@nope AS n", "1|READ-COMMITTED|NULL"},
		{"/* mysql-connector */ SELECT  @@session.autocommit", "1"},
		{"SELECT DATABASE(), VERSION()", "millrace|" + serverVersion},
		{"SELECT CONNECTION_ID()", fmt.Sprint(c.id)},
		{"SELECT USER()", "tester@127.0.0.1"},
		{"SET NAMES utf8mb4 COLLATE utf8mb4_general_ci", "OK"},
		{"SET NAMES klingon", "1115 42000 Unknown character set: 'klingon' (results are utf8mb4)"},
		{"SET autocommit=1, SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI'), @x = 'it''s'", "OK"},
		{"SELECT @x, @@sql_mode", "it's|CONCAT(@@sql_mode, ',ANSI')"},
		{"SET time_zone = '+02:00'", "OK"},
		{"SELECT @@time_zone", "+02:00"},
		{"SET @old = @@time_zone, time_zone = SYSTEM", "OK"},
		{"SELECT @@time_zone", "SYSTEM"},
		{"SET time_zone = @old", "OK"},
		{"SELECT @@time_zone", "+02:00"},
		{"SET time_zone = DEFAULT", "OK"},
		{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "OK"},
		{"SET checkpoint_interval = '2s'", "OK"},
		{"SELECT @@checkpoint_interval", "2s"},
		{"/*!40101 SET character_set_client = utf8 */;", "OK"},
		{"BEGIN", "OK"}, {"START TRANSACTION", "OK"}, {"COMMIT", "OK"}, {"ROLLBACK", "OK"},
		{"USE millrace", "OK"},
		{"USE other", "1049 42000 Unknown database 'other'; there is one, 'millrace'"},
		{"SHOW DATABASES", "information_schema millrace"},
		{"SHOW FULL TABLES WHERE Table_type <> 'SYSTEM VIEW'", "best|VIEW few|BASE TABLE"},
		{"SHOW TABLES FROM `millrace` LIKE 'f%'", "few"},
		{"SHOW TABLES FROM other", "1049 42000 Unknown database 'other'"},
		{"SHOW COLUMNS FROM few", "id|bigint|YES||NULL| d|decimal(8,2)|YES||NULL| s|varchar(6)|YES||NULL|"},
		{"SHOW FULL COLUMNS FROM few LIKE 's'", "s|varchar(6)|utf8mb4_general_ci|YES||NULL||select|"},
		{"DESCRIBE best", "id|bigint|YES||NULL| d|decimal(8,2)|YES||NULL|"},
		{"SHOW CREATE TABLE best", "best|CREATE TABLE `best` (\n  `id` bigint DEFAULT NULL,\n  `d` decimal(8,2) DEFAULT NULL\n) ENGINE=Millrace " +
			"DEFAULT CHARSET=utf8mb4 COMMENT='CREATE VIEW best AS SELECT id,\\n d FROM few'"},
		{"SHOW VARIABLES LIKE 'max\\_allowed%'", "max_allowed_packet|16777216"},
		{"SHOW SESSION VARIABLES WHERE Variable_name = 'wait_timeout' OR Variable_name IN ('version')", "version|" + serverVersion + " wait_timeout|28800"},
		{"SHOW VARIABLES WHERE nope = 1", "1054 42S22 MR-2107: unknown column 'nope' of this SHOW (at 1:22)"},
		{"SHOW ENGINES", "Millrace|DEFAULT|Stream SQL|NO|NO|NO"},
		{"SHOW WARNINGS", ""},
		{"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'VIEW'", "best"},
		{"SELECT COLUMN_TYPE FROM `information_schema`.`COLUMNS` WHERE TABLE_NAME = 'few' AND COLUMN_NAME = 'd'", "decimal(8,2)"},
		{"SELECT `millrace`.`few`.`id` FROM `millrace`.`few`", "0 1 2"},
		{"KILL QUERY 4000000", "1094 HY000 Unknown thread id: 4000000"},
		{"", "1065 42000 Query was empty"},
		{"SELECT 1; SELECT 2", "1235"},
	} {
		if got := c.query(x.sql); got != x.want && (len(x.want) != 4 || !strings.HasPrefix(got, x.want[:1])) {
			t.Errorf("%s\n got %s\nwant %s", x.sql, got, x.want)
		}
	}
	c.query("SELECT @@version_comment, @@nope")
	if got := strings.Join(c.names, " "); got != "@@version_comment @@nope" {
		t.Errorf("columns %s", got)
	}
}

func TestErrors(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeFew)
	c := h.dial()
	for _, x := range []struct{ sql, want string }{
		{"SELECT zonne FROM few", "1054 42S22 MR-2107: unknown column 'zonne' (at 1:8"},
		{"SELECT @@version,\n zonne FROM few", "1054 42S22 MR-2107: unknown column 'zonne' (at 2:2"},
		{"SELECT * FROM fwe", "1146 42S02 MR-2101: unknown table 'fwe' (at 1:15; did you mean 'few'?)"},
		{"SELEC 1", "1064 42000 MR-1007"},
		{"SELECT FROM", "1064 42000 MR-100"},
		{"SELECT nofun(1)", "1305 42000 MR-2110"},
		{"SELECT 9223372036854775807 + 1", "1690 22003 MR-3001"},
		{"SET checkpoint_intervall = '1s'", "1193 HY000 MR-2134: unknown variable 'checkpoint_intervall' (at 1:5; did you mean 'checkpoint_interval'?)"},
		{"SELECT '\xff'", "1300 HY000"},
	} {
		if got := c.query(x.sql); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s\n got %s\nwant %s", x.sql, got, x.want)
		}
	}
	c.query("SELECT zonne FROM few")
	if got := c.query("SHOW WARNINGS"); !strings.HasPrefix(got, "Error|1054|MR-2107") {
		t.Errorf("SHOW WARNINGS gives %s", got)
	}
}

func TestTypes(t *testing.T) {
	h := startServer(t, Options{})
	c := h.dial()
	got := c.query("SELECT TRUE, CAST(-3 AS TINYINT), 1.50, 1.5e0, 'é', x'00ff', DATE '2020-01-02', TIME '-10:11:12.5', " +
		"TIMESTAMP '2020-01-02 03:04:05.25', CAST('[1]' AS JSON), ARRAY[1, NULL], NULL, CAST(1.5e0 AS FLOAT), " +
		"CAST(2026 AS YEAR), CAST('b' AS ENUM('a','b')), CAST('b,a' AS SET('a','b')), CAST('POINT(1 2)' AS POINT), CAST('-0.5' AS DECIMAL(65,30))")
	want := "1|-3|1.50|1.5|é|\x00\xff|2020-01-02|-10:11:12.500000|2020-01-02 03:04:05.250000|[1]|[1, null]|NULL|1.5|2026|b|a,b|POINT(1 2)|-0.500000000000000000000000000000"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	kinds := []byte{typeTiny, typeTiny, typeNewDecimal, typeDouble, typeVarString, typeVarString, typeDate, typeTime, typeTimestamp, typeJSON, typeJSON, typeNull, typeFloat,
		typeYear, typeString, typeString, typeVarString, typeNewDecimal}
	if !bytes.Equal(c.kinds, kinds) {
		t.Errorf("kinds %v, want %v", c.kinds, kinds)
	}
}

// TestColumnNames: types as DESCRIBE and information_schema name them to MySQL's clients.
func TestColumnNames(t *testing.T) {
	for want, typ := range map[string]types.Type{"year": types.Of(types.Year), "enum('a','it''s')": types.EnumOf("a", "it's"), "set('a','b')": types.SetOf("a", "b"),
		"point": types.Of(types.Point), "decimal(65,30)": types.DecimalOf(65, 30), "char(3)": {Kind: types.String, Precision: 3, Fixed: true},
		"varbinary(9)": {Kind: types.Bytes, Precision: 9}, "binary(2)": {Kind: types.Bytes, Precision: 2, Fixed: true}} {
		if got := columnOf(typ); got.name != want {
			t.Errorf("%s is %s, want %s", typ, got.name, want)
		}
	}
	if e, s := columnOf(types.EnumOf("a")), columnOf(types.SetOf("a", "bc")); e.flags != flagEnum || s.flags != flagSet || s.length != 4*4 {
		t.Errorf("ENUM %+v, SET %+v", e, s)
	}
}

// prepare sends COM_STMT_PREPARE and gives the statement's number and how many parameters it has.
func (c *client) prepare(sql string) (id uint32, params int, err error) {
	c.t.Helper()
	c.send(comStmtPrepare, []byte(sql)...)
	p, err := c.read()
	if err != nil {
		return 0, 0, err
	}
	if p[0] == 0xff {
		return 0, 0, parseError(p)
	}
	d := decoder{b: p[1:]}
	id = uint32(d.uint(4))
	columns := int(d.uint(2))
	params = int(d.uint(2))
	skip := params + columns
	for _, n := range []int{params, columns} {
		if n > 0 && c.caps&capDeprecateEOF == 0 {
			skip++
		}
	}
	c.prepared = columns
	for range skip {
		if _, err := c.read(); err != nil {
			return 0, 0, err
		}
	}
	return id, params, nil
}

func TestPrepared(t *testing.T) {
	h := startServer(t, Options{})
	c, err := h.connect(0, pluginNative, "")
	if err != nil {
		t.Fatal(err)
	}
	id, n, err := c.prepare("SELECT 1-?, ?, ?, ?, '?' /* ? */, TIMESTAMP '2020-01-02 03:04:05.25', TIME '-34:00:01'")
	if err != nil || n != 4 {
		t.Fatalf("%d parameters, %v", n, err)
	}
	body := binary.LittleEndian.AppendUint32(nil, id)
	body = append(body, 0, 1, 0, 0, 0, 1<<3, 1)
	body = append(body, typeLongLong, 0, typeVarString, 0, typeDouble, 0, typeVarString, 0)
	body = binary.LittleEndian.AppendUint64(body, math.MaxUint64) // -1
	body = appendLenString(body, "it's \\ ? \x00")
	body = binary.LittleEndian.AppendUint64(body, math.Float64bits(-2.5))
	c.send(comStmtExecute, body...)
	columns, err := c.head()
	if err != nil || columns != 7 {
		t.Fatalf("%d columns, %v", columns, err)
	}
	p, err := c.row()
	if err != nil {
		t.Fatal(err)
	}
	want := []byte{0, 1 << 5, 0}
	want = binary.LittleEndian.AppendUint64(want, 2)
	want = appendLenString(want, "it's \\ ? \x00")
	want = binary.LittleEndian.AppendUint64(want, math.Float64bits(-2.5))
	want = appendLenString(want, "?")
	want = append(want, 11, 0xe4, 7, 1, 2, 3, 4, 5, 0x90, 0xd0, 3, 0)
	want = append(want, 8, 1, 1, 0, 0, 0, 10, 0, 1)
	if !bytes.Equal(p, want) {
		t.Errorf("row\n got %x\nwant %x", p, want)
	}
	if _, err := c.row(); err != io.EOF {
		t.Errorf("the end is %v", err)
	}
	c.send(comStmtClose, body[:4]...)
	c.send(comStmtExecute, body...)
	if _, err := c.head(); err == nil || !strings.HasPrefix(err.Error(), "1243") {
		t.Errorf("a closed statement gives %v", err)
	}
}

// TestTimeZone: each connection sees a TIMESTAMP on the clocks of its own zone, as text and in binary.
func TestTimeZone(t *testing.T) {
	h := startServer(t, Options{})
	utc, delhi := h.dial(), h.dial()
	if got := delhi.query("SET time_zone = '+05:30'"); got != "OK" {
		t.Fatal(got)
	}
	const instant = "SELECT FROM_UNIXTIME(1577934245), CAST(FROM_UNIXTIME(1577934245) AS DATETIME(0)), HOUR(FROM_UNIXTIME(1577934245))"
	if got, want := utc.query(instant), "2020-01-02 03:04:05.000000|2020-01-02 03:04:05|3"; got != want {
		t.Errorf("UTC: %s, want %s", got, want)
	}
	if got, want := delhi.query(instant), "2020-01-02 08:34:05.000000|2020-01-02 08:34:05|8"; got != want {
		t.Errorf("+05:30: %s, want %s", got, want)
	}
	for c, want := range map[*client][]byte{utc: {0, 0, 7, 0xe4, 7, 1, 2, 3, 4, 5}, delhi: {0, 0, 7, 0xe4, 7, 1, 2, 8, 34, 5}} {
		id, _, err := c.prepare("SELECT FROM_UNIXTIME(1577934245)")
		if err != nil {
			t.Fatal(err)
		}
		c.send(comStmtExecute, append(binary.LittleEndian.AppendUint32(nil, id), 0, 1, 0, 0, 0)...)
		if _, err := c.head(); err != nil {
			t.Fatal(err)
		}
		if p, err := c.row(); err != nil || !bytes.Equal(p, want) {
			t.Errorf("binary row %x, %v, want %x", p, err, want)
		}
		for err == nil {
			_, err = c.row()
		}
	}
}

// TestPreparedColumns: the answer to a preparation tells the columns of a query, and what no values can make right.
func TestPreparedColumns(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeFew)
	c := h.dial()
	for sql, want := range map[string]int{"SELECT id, id + ? FROM few WHERE id > ?": 2, "SELECT @@version, ?": 2, "SET @x = ?": 0, "SELECT 1 AS a LIMIT ?": 1} {
		if _, _, err := c.prepare(sql); err != nil || c.prepared != want {
			t.Errorf("%s: %d columns, %v; want %d", sql, c.prepared, err, want)
		}
	}
	if _, _, err := c.prepare("SELECT zonne FROM few WHERE id = ?"); err == nil || !strings.Contains(err.Error(), "unknown column 'zonne'") {
		t.Errorf("got %v", err)
	}
	for _, x := range [][2]string{{"SET @least = 1, @name = 'it''s'", "OK"}, {"PREPARE p FROM 'SELECT id, ? AS n FROM few WHERE id > ?'", "OK"},
		{"EXECUTE p USING @name, @least", "2|it's"}, {"DEALLOCATE PREPARE p", "OK"}} {
		if got := c.query(x[0]); got != x[1] {
			t.Errorf("%s: %s", x[0], got)
		}
	}
}

func TestPreparedRefusesEndless(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeTicks)
	c := h.dial()
	if _, _, err := c.prepare("SELECT id FROM ticks EMIT /* all */ CHANGES"); err == nil || !strings.Contains(err.Error(), "endless query cannot run as a prepared") {
		t.Errorf("got %v", err)
	}
	if got := c.query("SELECT 1"); got != "1" {
		t.Errorf("afterwards %s", got)
	}
}

func TestCommands(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeFew)
	c := h.dial()
	for _, x := range []struct {
		code byte
		body string
		want string
	}{
		{comPing, "", ""}, {comInitDB, "millrace", ""}, {comInitDB, "x", "1049"}, {comResetConnection, "", ""},
		{comChangeUser, "other\x00\x00millrace\x00", ""}, {comStmtReset, "\x01\x00\x00\x00", "1243"}, {comStmtFetch, "\x01\x00\x00\x00", "1421"},
		{0x55, "", "1047"}, {comProcessKill, "\xff\xff\xff\x00", "1094"}, {comSetOption, "\x00\x00", "1047"},
	} {
		c.send(x.code, []byte(x.body)...)
		_, err := c.head()
		if (err == nil) != (x.want == "") || err != nil && !strings.HasPrefix(err.Error(), x.want) {
			t.Errorf("command %#x %q: %v, want %q", x.code, x.body, err, x.want)
		}
	}
	if got := c.query("SELECT USER()"); got != "other@127.0.0.1" {
		t.Errorf("after the change of user: %s", got)
	}
	c.send(comStatistics)
	if p, err := c.read(); err != nil || !strings.HasPrefix(string(p), "Uptime: ") {
		t.Errorf("statistics %q, %v", p, err)
	}
	c.send(comFieldList, []byte("few\x00%")...)
	for n := 0; ; n++ {
		p, err := c.row()
		if err == io.EOF && n == 3 {
			break
		}
		if err != nil {
			t.Fatalf("field %d: %v (%x)", n, err, p)
		}
	}
	c.send(comQuit)
	if _, err := c.read(); err != io.EOF {
		t.Errorf("after quitting: %v", err)
	}
}

// startLive starts an endless query and reads a few of its rows.
func startLive(t *testing.T, c *client) {
	t.Helper()
	c.send(comQuery, []byte("SELECT id, item FROM ticks EMIT CHANGES")...)
	n, err := c.head()
	if err != nil || n != 3 || c.names[0] != "op" {
		t.Fatalf("%d columns %v, %v", n, c.names, err)
	}
	for i := range 3 {
		p, err := c.row()
		if err != nil {
			t.Fatal(err)
		}
		if got := textRow(p, n); !strings.HasPrefix(got, fmt.Sprintf("+I|%d|", i)) {
			t.Fatalf("row %d is %s", i, got)
		}
	}
}

func TestKillQuery(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeTicks)
	c, other := h.dial(), h.dial()
	startLive(t, c)
	if got := other.query("SHOW PROCESSLIST"); !strings.Contains(got, "|Query|0||SELECT id, item FROM ticks EMIT CHANGES") {
		t.Errorf("processes: %s", got)
	}
	if got := other.query(fmt.Sprintf("KILL QUERY %d", c.id)); got != "OK" {
		t.Fatal(got)
	}
	var err error
	for err == nil {
		_, err = c.row()
	}
	if !strings.HasPrefix(err.Error(), "1317 70100 MR-3102") {
		t.Errorf("the query ends with %v", err)
	}
	if got := c.query("SELECT 1"); got != "1" {
		t.Errorf("afterwards %s", got)
	}
	if got := other.query(fmt.Sprintf("KILL %d", c.id)); got != "OK" {
		t.Error(got)
	}
	if _, err := c.read(); err == nil {
		t.Error("the killed connection lives")
	}
}

func TestMaxExecutionTime(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeTicks)
	c := h.dial()
	c.query("SET max_execution_time = 50")
	if got := c.query("SELECT id FROM ticks EMIT CHANGES"); !strings.HasPrefix(got, "3024 HY000 MR-3103") {
		t.Errorf("got %s", got)
	}
}

// TestDisconnect leaves in the middle of live queries; nothing may stay behind.
func TestDisconnect(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeTicks)
	h.dial().nc.Close()
	eventually(t, "the first connection ends", func() bool { _, n, _ := h.srv.status(); return n == 0 })
	before := runtime.NumGoroutine()
	for range 5 {
		c := h.dial()
		startLive(t, c)
		if n := len(h.engine.Queries()); n != 1 {
			t.Fatalf("%d queries run", n)
		}
		c.nc.Close()
		eventually(t, "the query ends", func() bool { return len(h.engine.Queries()) == 0 })
	}
	eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestHTTPOnTheSamePort(t *testing.T) {
	h := startServer(t, Options{HTTP: httpVia(t), SpeakFirst: 2 * time.Second})
	resp, err := http.Post("http://"+h.addr+"/v1/sql", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "POST /v1/sql hello" {
		t.Errorf("got %q", b)
	}
	nc, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = nc.Write([]byte{0x16, 3, 1, 0})
	if b, err := io.ReadAll(nc); len(b) > 0 || err != nil {
		t.Errorf("TLS gets %x, %v", b, err)
	}
}

// TestMalformed sends what no client sends; the others must not notice.
func TestMalformed(t *testing.T) {
	h := startServer(t, Options{})
	good := h.dial()
	large := append([]byte{0xff, 0xff, 0xff, 0}, make([]byte, maxFrame)...)
	for _, x := range []struct {
		name   string
		frames []byte
		seq    byte   // of the answer
		want   string // number of the error; "": the connection just ends
	}{
		{"out of order", []byte{1, 0, 0, 7, comPing}, 8, "1156"},
		{"too large", append(large, 0xff, 0xff, 0, 1), 2, "1153"},
		{"empty", []byte{0, 0, 0, 0}, 1, "1047"},
		{"short execution", []byte{2, 0, 0, 0, comStmtExecute, 1}, 1, ""},
		{"bad user", []byte{3, 0, 0, 0, comChangeUser, 'a', 'b'}, 1, ""},
	} {
		c := h.dial()
		if _, err := c.nc.Write(x.frames); err != nil {
			t.Fatal(err)
		}
		c.seq = x.seq
		_, err := c.head()
		if x.want == "" && err != io.EOF || x.want != "" && (err == nil || !strings.HasPrefix(err.Error(), x.want)) {
			t.Errorf("%s: got %v, want %q", x.name, err, x.want)
		}
		if got := good.query("SELECT 1"); got != "1" {
			t.Fatalf("%s: the other connection gets %s", x.name, got)
		}
	}
}

func TestIdleTimeout(t *testing.T) {
	h := startServer(t, Options{IdleTimeout: 30 * time.Millisecond})
	c := h.dial()
	if _, err := c.read(); err != io.EOF {
		t.Errorf("an idle connection gives %v", err)
	}
}

func TestManyConnections(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeFew)
	var group sync.WaitGroup
	for i := range 100 {
		c := h.dial()
		group.Go(func() {
			for k := range 5 {
				if got, want := c.query(fmt.Sprintf("SELECT %d, @@autocommit", i*10+k)), fmt.Sprintf("%d|1", i*10+k); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	group.Wait()
}

func TestTooManyConnections(t *testing.T) {
	h := startServer(t, Options{})
	h.srv.mu.Lock()
	for i := range maxConnections {
		h.srv.conns[uint32(1e6+i)] = newConn(h.srv, refusedConn{}, uint32(1e6+i))
	}
	h.srv.mu.Unlock()
	_, err := h.connect(0, pluginSHA2, "")
	if err == nil || !strings.HasPrefix(err.Error(), "1040") {
		t.Errorf("got %v", err)
	}
}

type refusedConn struct{ net.Conn }

func (refusedConn) Close() error { return nil }
