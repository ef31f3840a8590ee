package persistence

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

const (
	// schemaRelease is the release of the newest migration in this program. The version
	// of a migration is release * releaseStep + number.
	schemaRelease = 1
	releaseStep   = 100

	migrationLock     = 7_305_417_921 // any number, the same on every node
	migrationWait     = "60s"
	secretBytes       = 32
	metaEpoch         = "epoch"
	metaSecret        = "secret"
	metaIndexJob      = "index.job"
	metaFold          = "fold" // the version of the rules that the stored names follow
	metaTransactions  = "transactions"
	metaBackups       = "backups" // the folder of the last backup of an SQLite file
	postgresMigration = "migrations/postgres"

	metaAdministration = "administration" // made by a migration, like the next two
	metaFiles          = "files"          // the mark of the store of files
	metaRetentionDue   = "retention_due"
	metaAbsent         = "absent_administrator." // begins a name; see chat.Service.AppointNamed
	metaNames          = "names"
)

// migrateSchema upgrades the schema to this program's release. Nodes that start
// together take turns.
func migrateSchema(ctx context.Context, db *sql.DB, d dialect, log *slog.Logger) error {
	if !d.perRow {
		unlock, err := lockSchema(ctx, db)
		if err != nil {
			return err
		}
		defer unlock()
	}
	return upgradeSchema(ctx, db, d, log)
}

// upgradeSchema is migrateSchema for the node whose turn it is. It refuses a schema
// that is more than one release ahead: this program works with the schema of the
// next release, and not with later ones.
func upgradeSchema(ctx context.Context, db *sql.DB, d dialect, log *slog.Logger) error {
	provider, err := newProvider(db, d, log)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if release := version / releaseStep; release > schemaRelease+1 {
		return fmt.Errorf("the database has the schema of release %d; this program knows release %d and works with one more: upgrade it",
			release, schemaRelease)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return nil
}

// checkSchema requires the newest schema that this program knows.
func checkSchema(ctx context.Context, db *sql.DB, d dialect, log *slog.Logger) error {
	provider, err := newProvider(db, d, log)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	var version, newest int64
	for _, known := range provider.ListSources() { // in no order
		newest = max(newest, known.Version)
	}
	err = db.QueryRowContext(ctx, "SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&version)
	if err != nil {
		return fmt.Errorf("not a Fechatter database: %w", err)
	}
	if version != newest {
		return fmt.Errorf("the schema is version %d, and this program's is %d: run a node of this release on it once, or use the release that made it",
			version, newest)
	}
	return nil
}

func newProvider(db *sql.DB, d dialect, log *slog.Logger) (*goose.Provider, error) {
	shared, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithSlog(log)}
	if d.perRow {
		return goose.NewProvider(goose.DialectSQLite3, db, shared, options...)
	}
	own, err := fs.Sub(migrations, postgresMigration)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, overlay{shared, own}, options...)
}

// lockSchema makes nodes that start together take turns. It holds a connection
// until unlock is called.
func lockSchema(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock schema: %w", err)
	}
	if _, err := c.ExecContext(ctx, "SET lock_timeout = '"+migrationWait+"'"); err != nil {
		return nil, errors.Join(fmt.Errorf("lock schema: %w", err), c.Close())
	}
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return nil, errors.Join(fmt.Errorf("lock schema: %w", err), c.Close())
	}
	return func() {
		_ = c.Raw(func(any) error { return driver.ErrBadConn }) // closing the connection frees the lock
		_ = c.Close()
	}, nil
}

// overlay joins the files of two folders as if they were in one.
type overlay [2]fs.FS

func (o overlay) Open(name string) (fs.File, error) {
	f, err := o[0].Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o[1].Open(name)
	}
	return f, err
}

// Glob lets fs.Glob see the files of both.
func (o overlay) Glob(pattern string) ([]string, error) {
	first, err := fs.Glob(o[0], pattern)
	if err != nil {
		return nil, err
	}
	second, err := fs.Glob(o[1], pattern)
	return append(first, second...), err
}

// readMeta creates the epoch and the secret unless they exist, and returns the
// secret.
func readMeta(ctx context.Context, c *conn, newID func() string) ([]byte, error) {
	made := make([]byte, secretBytes)
	rand.Read(made) // never fails: crypto/rand ends the process instead
	for name, value := range map[string]string{metaEpoch: newID(), metaSecret: hex.EncodeToString(made)} {
		_, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, value)
		if err != nil {
			return nil, fmt.Errorf("write meta: %w", err)
		}
	}
	var secret string
	if err := c.one(ctx, "SELECT value FROM meta WHERE name = $1", []any{metaSecret}, &secret); err != nil {
		return nil, fmt.Errorf("read meta: %w", err)
	}
	return hex.DecodeString(secret)
}
