package main

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestDiskFull: on a full disk the run says so and ends; with room again it goes on, and the topic has every record once.
func TestDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for some seconds")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=20m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	data := filepath.Join(dir, "data")
	sql := `SET checkpoint_interval = '100ms';
CREATE SOURCE g (id BIGINT, pad VARCHAR) WITH (connector='datagen', rows_per_second='50000', 'fields.id.kind'='sequence', 'fields.id.start'='0',
  'fields.pad.length'='200');
CREATE SINK k WITH (connector='kafka', topic='numbers', format='json', partitions='1') AS SELECT id, pad FROM g;`
	command(t, "", sql, "run", "-", "--data-dir", data).want(t, exitJob, "no space left")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=800m"); err != nil {
		t.Fatal(err)
	}
	command(t, "", sql, "run", "-", "--data-dir", data, "--until", "1s").want(t, exitOK)
	command(t, "", "", "sql", "--data-dir", data, "--format", "raw", "-e",
		`STOP JOB k; CREATE SOURCE r (id BIGINT) WITH (connector='kafka', topic='numbers', format='json', scan_bounded='latest');
SELECT COUNT(*) - COUNT(DISTINCT id) AS doubled, MAX(id) + 1 - COUNT(*) AS missing, COUNT(*) > 10000 AS enough FROM r`).want(t, exitOK, "0\t0\ttrue\n")
}
