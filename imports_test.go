package main

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "fechatter"

// mayImport is the layout: which of our packages a package may import. A new
// package needs a row. Only the program is judged, under every build tag: a
// _test.go file may use an adapter of another package as its fake.
func mayImport() map[string][]string {
	return map[string][]string{
		".":                           {"app"},
		"app":                         {"bus", "chat", "conform", "door", "files", "hub", "indexer", "jobs", "mail", "password", "persistence", "presence", "security", "server", "signin", "timeline", "tracing", "web"},
		"app/pebbletest":              {},
		"bus":                         {"security"},
		"chat":                        {},
		"client":                      {},
		"conform":                     {"conform/client"},
		"conform/client":              {"client"},
		"door":                        {},
		"e2e":                         {},
		"e2e/check":                   {},
		"e2e/cluster":                 {"e2e/proxy", "persistence/postgrestest"},
		"e2e/load":                    {"client", "e2e/check"},
		"e2e/proxy":                   {},
		"fold":                        {},
		"files":                       {"chat"},
		"files/filestest":             {"files"},
		"hooks":                       {},
		"hub":                         {},
		"indexer":                     {"chat", "fold"},
		"indexer/indextest":           {"chat", "indexer"},
		"indexer/meilitest":           {"chat", "indexer"},
		"jobs":                        {"chat"},
		"lookalike":                   {},
		"mail":                        {},
		"mail/mailtest":               {},
		"password":                    {},
		"persistence":                 {"chat", "fold", "lookalike"},
		"persistence/persistencetest": {"chat", "persistence"},
		"persistence/postgrestest":    {},
		"presence":                    {"chat"},
		"presence/presencetest":       {"chat", "presence"},
		"presence/redistest":          {},
		"prove":                       {},
		"security":                    {},
		"release":                     {},
		"server":                      {"chat", "door", "files", "hooks", "hub", "security", "timeline", "web"},
		"signin":                      {"chat"},
		"timeline":                    {"chat"},
		"tracing":                     {},
		"web":                         {},
	}
}

// homes names the package that may import a dependency, so that replacing one is
// the work of one folder. What ends in a slash is a prefix. The WebSocket has an
// implementation at either end of the wire, and conform breaks its rules on purpose.
func homes() map[string][]string {
	return map[string][]string{
		"github.com/nats-io/":            {"bus"},
		"github.com/jackc/":              {"persistence"},
		"github.com/pressly/goose/":      {"persistence"},
		"github.com/redis/":              {"presence"},
		"github.com/blevesearch/":        {"indexer"},
		"github.com/RoaringBitmap/":      {"indexer"},
		"go.etcd.io/bbolt":               {"indexer"},
		"go.etcd.io/bbolt/errors":        {"indexer"},
		"golang.org/x/text/":             {"fold", "indexer", "lookalike", "password"},
		"github.com/meilisearch/":        {"indexer"},
		"modernc.org/":                   {"persistence"},
		"github.com/coder/websocket":     {"server", "client", "conform/client"},
		"github.com/danielgtaylor/huma/": {"server"},
		"github.com/alecthomas/":         {"app"},
		"github.com/prometheus/":         {"app"},
		"go.yaml.in/yaml/":               {"app"},
		"github.com/wneessen/go-mail":    {"mail"},
		"github.com/emersion/":           {"mail/mailtest"},
		"golang.org/x/net/":              {"mail"},
		"github.com/letsencrypt/":        {"app/pebbletest"},
		"github.com/miekg/":              {"app/pebbletest"},
		"github.com/caddyserver/":        {"app"},
		"go.uber.org/zap":                {"app"}, // in which certmagic logs
		"go.uber.org/zap/":               {"app"},
		"go.opentelemetry.io/":           {"tracing"},
		"golang.org/x/crypto/":           {"password"},
		"github.com/pquerna/otp":         {"signin"},
		"github.com/pquerna/otp/":        {"signin"},
		"github.com/go-webauthn/":        {"signin"},
		"github.com/coreos/go-oidc/":     {"signin"},
		"golang.org/x/oauth2":            {"signin"},
		"github.com/go-jose/":            {"signin"},
	}
}

// source is one file of the program: its folder and what it imports.
type source struct {
	file, pkg string
	imports   []string
}

func TestImportsFollowTheLayout(t *testing.T) {
	allowed := mayImport()
	for _, s := range sources(t) {
		ours, known := allowed[s.pkg]
		if !known {
			t.Errorf("%s: package %s has no row in mayImport", s.file, s.pkg)
			continue
		}
		for _, imported := range s.imports {
			if target, ok := strings.CutPrefix(imported, module+"/"); ok && !slices.Contains(ours, target) {
				t.Errorf("%s: %s may not import %s", s.file, s.pkg, target)
			}
		}
	}
}

func TestDependenciesHaveOneHome(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			if of := homesOf(imported); of != nil && !slices.Contains(of, s.pkg) && !slices.Contains(of, path.Dir(s.pkg)) {
				t.Errorf("%s: only %s may import %s", s.file, strings.Join(of, ", "), imported)
			}
		}
	}
}

// The domain must compile with nothing but Go, or its rules could not be read,
// tested and trusted alone.
func TestChatIsStandardLibraryOnly(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg != "chat" {
			continue
		}
		for _, imported := range s.imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
				t.Errorf("%s: chat may not import %s", s.file, imported)
			}
		}
	}
}

func homesOf(imported string) []string {
	for dependency, of := range homes() {
		if imported == dependency || strings.HasSuffix(dependency, "/") && strings.HasPrefix(imported, dependency) {
			return of
		}
	}
	return nil
}

// sources reads the imports of every Go file of this module that is part of the
// program. Build tags are not applied: a mutation is bound by the layout too.
func sources(t *testing.T) []source {
	t.Helper()
	var found []source
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(file, d.Name())
		}
		if filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		s, err := read(file)
		found = append(found, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("only %d files found", len(found))
	}
	return found
}

// enter leaves out what is not ours, and folders that are modules of their own.
func enter(dir, name string) error {
	if dir == "." {
		return nil
	}
	if name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") {
		return fs.SkipDir
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	if err == nil {
		return fs.SkipDir
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func read(file string) (source, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return source{}, err
	}
	s := source{file: file, pkg: filepath.ToSlash(filepath.Dir(file))}
	for _, i := range parsed.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return source{}, err
		}
		s.imports = append(s.imports, imported)
	}
	return s, nil
}
