package kafka

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/kafka/property"
)

// settingPrefix stands before the name of a client's property in the options of a table.
const settingPrefix = "kafka."

// settingOptions are the properties as options of the connector; the check of options then knows all names and suggests near ones.
func settingOptions() []connectors.Option {
	var out []connectors.Option
	for _, p := range property.All {
		for i, name := range p.Names {
			doc := p.Doc
			if i > 0 {
				doc = "same as " + settingPrefix + p.Names[0]
			}
			out = append(out, connectors.Option{Name: settingPrefix + name, Type: p.Type, Secret: p.Secret, Doc: doc})
		}
	}
	return out
}

// settingOpts turns the kafka.* options into options of the client.
func settingOpts(v connectors.Values) ([]kgo.Opt, error) {
	opts, err := property.Options(func(name string) (string, bool) { return v.String(settingPrefix + name), v.Has(settingPrefix + name) })
	if e := (*property.Error)(nil); errors.As(err, &e) {
		bad := badOption(settingPrefix+e.Name, "%s", e.Text)
		if e.Hint != "" {
			return nil, bad.WithHint("%s", e.Hint)
		}
		return nil, bad
	}
	return opts, err
}
