package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
)

func init() {
	connectors.Register(&connectors.Spec{
		Name: "file",
		Doc:  "files of JSON lines, CSV, raw lines or Parquet: one file, a pattern, or all files of a directory",
		Example: `CREATE SOURCE trips (trip_id BIGINT, fare DECIMAL(8,2)) WITH (connector='file', path='trips/*.jsonl', format='json');
CREATE SINK out WITH (connector='file', path='out.jsonl', format='json', op_field='op') AS SELECT trip_id, fare FROM trips`,
		Options:  options,
		Formats:  []string{"json", "csv", "raw", "parquet"},
		Metadata: format.FileMetadata,
		Bounded:  func(v connectors.Values) bool { return !v.Bool("follow") },
		Source:   newSource,
		Sink:     newSink,
		SinkMode: changes,
		SourceChanges: func(v connectors.Values) connectors.SinkMode {
			return changes(v, false)
		},
	})
}

// changes: with op_field a file holds a whole changelog, without it only inserts.
func changes(v connectors.Values, _ bool) connectors.SinkMode {
	if v.Has("op_field") {
		return connectors.Retract
	}
	return connectors.Append
}

var options = []connectors.Option{
	{Name: "path", Required: true, Doc: "source: a file, a pattern such as logs/*.jsonl, or a directory; sink: a file, or for Parquet a directory"},
	{Name: "follow", Type: connectors.OptBool, Default: "false",
		Doc: "source: wait at the end of files for more, and for new files, instead of ending"},
	{Name: "poll_interval", Type: connectors.OptDuration, Default: "100ms", Doc: "source with follow: how often to look for more"},
	{Name: "max_line", Type: connectors.OptSize, Default: "16MiB", Doc: "source: longer records are rejected, not read"},
	{Name: "if_exists", Type: connectors.OptEnum, Values: []string{"replace", "append", "fail"}, Default: "replace",
		Doc: "sink: what a new job does with a file that is already there; a job that goes on always continues its own file"},
}

// Format returns the name of the format in use; the registry fills in no defaults of options outside the spec.
func formatName(v connectors.Values) string {
	if f := v.String("format"); f != "" {
		return f
	}
	return "json"
}

// accessError turns an error of the file system into one for users.
func accessError(what, path string, err error) *diag.Error {
	e := diag.New(diag.FileAccess, -1, "cannot %s '%s': %v", what, path, diag.PathCause(err)).Wrap(err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if dir, dirErr := os.Getwd(); dirErr == nil && !filepath.IsAbs(path) {
			e.WithHint("the path is relative to %s", dir)
		}
	case errors.Is(err, fs.ErrPermission):
		e.WithHint("the process may not %s it; check owner and mode", what)
	}
	return e
}

// list resolves a path option to files, sorted. Hidden files and directories inside patterns and directories are passed over.
func list(path string) ([]string, error) {
	if strings.ContainsAny(path, "*?[") {
		matches, err := filepath.Glob(path)
		if err != nil {
			return nil, diag.New(diag.BadOption, -1, "option 'path': '%s' is no pattern: %v", path, err)
		}
		return plainFiles(matches), nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, accessError("read", path, err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, accessError("list", path, err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = filepath.Join(path, e.Name())
	}
	return plainFiles(names), nil
}

func plainFiles(names []string) []string {
	var out []string
	for _, n := range names {
		if info, err := os.Stat(n); err == nil && !info.IsDir() && !strings.HasPrefix(filepath.Base(n), ".") {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}
