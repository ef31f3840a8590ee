package persistence

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fechatter/chat"
)

// CertificateFile is one of the files that belong to certificates.
type CertificateFile struct {
	Name    string // folders are separated by slashes
	Size    int64  // bytes
	Changed chat.Time
}

// SaveCertificate writes a file that belongs to certificates, over one of its name.
func (s *Store) SaveCertificate(ctx context.Context, name string, value []byte) error {
	return s.update(ctx, "save certificate", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, `INSERT INTO certificates (name, value, changed_at) VALUES ($1, $2, `+s.d.now+`)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at`,
			name, base64.StdEncoding.EncodeToString(value))
		return nil, err
	})
}

// Certificate reads a file that belongs to certificates, and reports whether it exists.
func (s *Store) Certificate(ctx context.Context, name string) (value []byte, found bool, err error) {
	err = s.view(ctx, s.pools.read, "read certificate", func(c *conn) error {
		var encoded string
		err := c.one(ctx, "SELECT value FROM certificates WHERE name = $1", []any{name}, &encoded)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		if value, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return fmt.Errorf("decode %s: %w", name, err)
		}
		return nil
	})
	return value, found && err == nil, err
}

// Certificates lists the files in a folder and in those within, in the order of their
// names. "" is the folder of all.
func (s *Store) Certificates(ctx context.Context, folder string) (files []CertificateFile, err error) {
	err = s.view(ctx, s.pools.read, "list certificates", func(c *conn) error {
		files, err = collect(ctx, c, func(rows *sql.Rows, f *CertificateFile) error {
			var encoded int64
			err := rows.Scan(&f.Name, &encoded, &f.Changed)
			f.Size = encoded / 4 * 3
			return err
		}, "SELECT name, LENGTH(value), changed_at FROM certificates WHERE $1 = '' OR name = $1 OR SUBSTR(name, 1, LENGTH($1) + 1) = $1 || '/'", folder)
		return err
	})
	slices.SortFunc(files, func(a, b CertificateFile) int { return strings.Compare(a.Name, b.Name) })
	return files, err
}

// DeleteCertificates deletes a file, or a folder with all in it. What is not there is no
// error.
func (s *Store) DeleteCertificates(ctx context.Context, name string) error {
	return s.update(ctx, "delete certificates", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "DELETE FROM certificates WHERE name = $1 OR SUBSTR(name, 1, LENGTH($1) + 1) = $1 || '/'", name)
		return nil, err
	})
}
