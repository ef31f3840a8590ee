package server_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"fechatter/persistence/postgrestest"
)

// postgres is shared by the tests that need one, and started by the first.
var postgres struct {
	once   sync.Once
	server *postgrestest.Server
	err    error
}

func TestMain(m *testing.M) {
	flag.Parse()
	// The parallel tests of this package wait for time: they do so side by side.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	code := m.Run()
	if postgres.server != nil {
		if err := postgres.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop postgres:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// onPostgres returns the URL of a new, empty database.
func onPostgres(t *testing.T) string {
	t.Helper()
	needsNode(t)
	postgres.once.Do(func() { postgres.server, postgres.err = postgrestest.Start(context.Background()) })
	if postgres.err != nil {
		t.Fatal(postgres.err)
	}
	url, err := postgres.server.Database(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return url
}
