package all

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
)

var rewrite = flag.Bool("rewrite", false, "write connectors/REFERENCE.md anew")

const referencePath = "../REFERENCE.md"

// TestReference holds the reference of connectors and formats against their specs.
func TestReference(t *testing.T) {
	want := reference()
	if *rewrite {
		if err := os.WriteFile(referencePath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePath)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("connectors/REFERENCE.md is stale (%v); go test ./connectors/all -rewrite writes it anew", err)
	}
}

func reference() []byte {
	var b bytes.Buffer
	b.WriteString("# Connectors and formats\n\nGenerated from the specs by `go test ./connectors/all -rewrite`.\n\n")
	b.WriteString("| connector | source | sink | formats | |\n|---|---|---|---|---|\n")
	for _, s := range connectors.All() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s | %s |\n", s.Name, s.Name, yes(s.Source != nil), yes(s.Sink != nil), strings.Join(s.Formats, ", "), s.Doc)
	}
	b.WriteString("\n## Options of every connector\n\n")
	options(&b, connectors.Common)
	for _, s := range connectors.All() {
		section(&b, s.Name, s.Doc, s.Example, s.Options)
		if len(s.Metadata) > 0 {
			b.WriteString("\n| metadata column | type | |\n|---|---|---|\n")
		}
		for _, m := range s.Metadata {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.Key, m.Type, m.Doc)
		}
	}
	b.WriteString("\n# Formats\n")
	for _, f := range format.All() {
		section(&b, "format "+f.Name, f.Doc, f.Example, f.Options)
	}
	return b.Bytes()
}

func section(b *bytes.Buffer, name, doc, example string, opts []connectors.Option) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n```sql\n%s\n```\n\n", name, strings.TrimSuffix(doc, "."), example)
	options(b, opts)
}

var typeNames = map[connectors.OptionType]string{connectors.OptString: "text", connectors.OptInt: "number", connectors.OptBool: "true, false",
	connectors.OptDuration: "duration", connectors.OptSize: "size"}

func options(b *bytes.Buffer, opts []connectors.Option) {
	if len(opts) == 0 {
		return
	}
	b.WriteString("| option | values | default | |\n|---|---|---|---|\n")
	for _, o := range opts {
		values := typeNames[o.Type]
		if o.Type == connectors.OptEnum {
			values = strings.Join(o.Values, ", ")
		}
		name, byDefault := o.Name, o.Default
		if o.Prefix {
			name += "*"
		}
		if o.Required {
			byDefault = "required"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", name, values, strings.ReplaceAll(byDefault, "|", `\|`), strings.ReplaceAll(o.Doc, "|", `\|`))
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
