package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// settingsFile resolves flags from chat.yml. It replaces kong-yaml, which does not
// know snake_case, overrides the environment, and ignores unknown names.
type settingsFile struct {
	name   string
	values map[string]string // by flag name: limits.send_burst is limits-send-burst
}

// openSettings reads the named file, or without a name chat.yml; it returns nil if that
// does not exist.
func openSettings(name string, flags []*kong.Flag) (*settingsFile, error) {
	optional := name == ""
	if optional {
		name = defaultConfig
	}
	data, err := os.ReadFile(name)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	f := &settingsFile{name: name, values: map[string]string{}}
	if err := f.parse(data, flags); err != nil {
		return nil, err
	}
	return f, nil
}

// Validate has nothing to add to openSettings.
func (f *settingsFile) Validate(*kong.Application) error { return nil }

// Resolve returns a flag's value, unless the environment has one, which takes
// precedence over the file.
func (f *settingsFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	if v, ok := f.values[flag.Name]; ok {
		return v, nil
	}
	return nil, nil
}

func (f *settingsFile) parse(data []byte, flags []*kong.Flag) error {
	known := map[string]bool{}
	for _, flag := range flags {
		known[flag.Name] = flag.Name != "help" && flag.Name != "config"
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	if len(doc.Content) == 0 {
		return nil // empty, or comments only
	}
	return f.read(doc.Content[0], "", known)
}

// read reads one mapping; path is the names above it, each followed by a dot.
func (f *settingsFile) read(n *yaml.Node, path string, known map[string]bool) error {
	if n.Kind != yaml.MappingNode {
		return f.errorf(n, "%q must hold names and values", strings.TrimSuffix(path, "."))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		full := path + key.Value
		if value.Kind == yaml.MappingNode {
			if err := f.read(value, full+".", known); err != nil {
				return err
			}
			continue
		}
		if err := f.set(key, full, value, known); err != nil {
			return err
		}
	}
	return nil
}

func (f *settingsFile) set(key *yaml.Node, full string, value *yaml.Node, known map[string]bool) error {
	flag := strings.NewReplacer("_", "-", ".", "-").Replace(full)
	if !known[flag] || strings.Contains(full, "-") {
		return f.errorf(key, "unknown setting %q", full)
	}
	if _, twice := f.values[flag]; twice {
		return f.errorf(key, "%q is set twice", full)
	}
	text, err := f.text(full, value)
	if err != nil {
		return err
	}
	if value.Tag != "!!null" {
		f.values[flag] = text
	}
	return nil
}

// text returns a value as it would be written in the environment.
func (f *settingsFile) text(full string, value *yaml.Node) (string, error) {
	if value.Kind == yaml.ScalarNode {
		return value.Value, nil
	}
	if full == "oidc" || full == "jwt" { // a list of mappings, which is read by itself
		text, err := yaml.Marshal(value)
		return string(text), err
	}
	if value.Kind != yaml.SequenceNode {
		return "", f.errorf(value, "%q must be a value or a list of values", full)
	}
	var items []string
	for _, item := range value.Content {
		if item.Kind != yaml.ScalarNode {
			return "", f.errorf(item, "%q must be a list of plain values", full)
		}
		items = append(items, item.Value)
	}
	return strings.Join(items, ","), nil
}

func (f *settingsFile) errorf(at *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", f.name, at.Line, fmt.Sprintf(format, args...))
}
