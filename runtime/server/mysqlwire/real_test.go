package mysqlwire

import (
	"bufio"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// shell gives the arguments of the mysql shell for a server, or skips.
func shell(t *testing.T, h *harness, more ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("mysql")
	if err != nil {
		t.Skip("there is no mysql shell")
	}
	host, port, _ := net.SplitHostPort(h.addr)
	return exec.CommandContext(t.Context(), path, append([]string{"--no-defaults", "-h", host, "-P", port, "-u", "tester", "--password=any"}, more...)...)
}

func TestMySQLShell(t *testing.T) {
	h := startServer(t, Options{})
	h.exec(makeFew)
	out, err := shell(t, h, "-D", "millrace", "-e", "SELECT 1 AS a, NULL AS b; SELECT id FROM few WHERE id > 0; SHOW TABLES LIKE 'f%'; SET NAMES utf8mb4").CombinedOutput()
	if want := "a\tb\n1\tNULL\nid\n1\n2\nTables_in_millrace\nfew\n"; err != nil || string(out) != want {
		t.Errorf("%v\n got %q\nwant %q", err, out, want)
	}
	out, err = shell(t, h, "-e", "SELECT zonne FROM few").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "ERROR 1054 (42S22) at line 1: MR-2107: unknown column 'zonne' (at 1:8") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestMySQLShellLive reads an endless query row by row; stdbuf makes the shell print rows into a pipe as they come.
func TestMySQLShellLive(t *testing.T) {
	if _, err := exec.LookPath("stdbuf"); err != nil {
		t.Skip("there is no stdbuf")
	}
	h := startServer(t, Options{})
	h.exec(makeTicks)
	cmd := shell(t, h, "--quick", "-e", "SELECT id FROM ticks EMIT CHANGES")
	live := exec.CommandContext(t.Context(), "stdbuf", append([]string{"-oL"}, cmd.Args...)...)
	out, err := live.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := live.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, want := range []string{"op\tid", "+I\t0", "+I\t1"} {
		if !lines.Scan() || lines.Text() != want {
			t.Errorf("got %q, want %q", lines.Text(), want)
		}
	}
	_ = live.Process.Kill()
	_ = live.Wait()
	eventually(t, "the query ends with its shell", func() bool { return len(h.engine.Queries()) == 0 })
}

const pyScript = `
import sys, pymysql
c = pymysql.connect(host='127.0.0.1', port=int(sys.argv[1]), user='u', password='p', database='millrace')
q = c.cursor()
q.execute("SELECT %s + 1, %s, CAST(1.5 AS DECIMAL(5,2)), DATE '2020-01-02', NULL", (41, "it's \\ %"))
print(q.fetchall()[0])
try:
    q.execute("SELECT * FROM nope")
except pymysql.err.ProgrammingError as e:
    print(e.args[0])
live = c.cursor(pymysql.cursors.SSCursor)
live.execute("SELECT id FROM ticks EMIT CHANGES")
print([live.fetchone() for _ in range(2)])
k = pymysql.connect(host='127.0.0.1', port=int(sys.argv[1]), user='u')
k.cursor().execute("KILL QUERY %d" % c.thread_id())
try:
    while live.fetchone(): pass
except pymysql.err.Error as e:
    print(e.args[0])
c.ping(reconnect=False)
`

func TestPyMySQL(t *testing.T) {
	if err := exec.Command("python3", "-c", "import pymysql").Run(); err != nil {
		t.Skip("there is no PyMySQL")
	}
	h := startServer(t, Options{})
	h.exec(makeTicks)
	_, port, _ := net.SplitHostPort(h.addr)
	out, err := exec.CommandContext(t.Context(), "python3", "-c", pyScript, port).CombinedOutput()
	want := "(42, \"it's \\\\ %\", Decimal('1.50'), datetime.date(2020, 1, 2), None)\n1146\n[('+I', 0), ('+I', 1)]\n1317\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n got %s\nwant %s", err, out, want)
	}
}
