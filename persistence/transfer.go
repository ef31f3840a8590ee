package persistence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// transferApplication is what the connections of a transfer are called in
// pg_stat_activity, so that it does not take itself for a node.
const transferApplication = "fechatter transfer"

// noHurry is how long a statement and a silence of a transfer may last.
const noHurry = 24 * time.Hour

// Transferred is how far one table is. Verified is set with the last row, once
// what arrived was read back and compared.
type Transferred struct {
	Table    string
	Rows, Of int64
	Verified bool
}

// Transfer copies everything from one database into another, of either kind:
// with ids, seqs, keys, sessions, secret and the epoch, so that clients go on
// where they are. The target must be empty and is written in one transaction
// over one snapshot of the source: a transfer that fails or is interrupted
// leaves it empty. What arrived is read back and compared before the commit. At
// the end the source gets another epoch: should anybody run it again, clients
// that come back to it read anew. No node may use either database meanwhile;
// progress is called after each batch, from the caller's goroutine.
func Transfer(ctx context.Context, from, to Config, newID func() string, log *slog.Logger, progress func(Transferred)) (err error) {
	source, err := openSource(ctx, from, log)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	defer func() { err = errors.Join(err, source.close()) }()
	target, err := openTarget(ctx, to, log)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	defer func() { err = errors.Join(err, target.close()) }()
	if err := source.read(ctx, func(in *conn) error {
		return target.write(ctx, func(out *conn) error {
			return transfer{source: source, target: target, in: in, out: out, progress: progress}.run(ctx)
		})
	}); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	// From here on the target is whole.
	if err := source.renewEpoch(ctx, newID()); err != nil {
		return fmt.Errorf("the target is complete, but the source could not be given another epoch; do not run it again: %w", err)
	}
	return nil
}

// side is one database of a transfer.
type side struct {
	d      dialect
	pools  *pools
	unlock func() // nil: nothing is locked
}

func openSide(ctx context.Context, cfg Config) (*side, error) {
	cfg = cfg.withDefaults()
	cfg.application, cfg.StatementTimeout = transferApplication, noHurry
	d, p, err := openPools(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &side{d: d, pools: p}
	if err := s.refuseNodes(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// refuseNodes looks for nodes at work. A file is locked by its nodes; a server
// knows who is connected.
func (s *side) refuseNodes(ctx context.Context) error {
	if s.d.perRow {
		return nil
	}
	var nodes int
	err := s.pools.migrate.db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = $1`, nodeApplication).Scan(&nodes)
	if err != nil {
		return fmt.Errorf("look for nodes: %w", err)
	}
	if nodes > 0 {
		return fmt.Errorf("nodes use this database, by %d connections; stop them", nodes)
	}
	return nil
}

func (s *side) close() error {
	if s.unlock != nil {
		s.unlock()
	}
	return s.pools.close()
}

// read runs fn in a transaction that sees one snapshot.
func (s *side) read(ctx context.Context, fn func(*conn) error) error {
	return inTransaction(ctx, s.pools.read, s.d.beginRead, "ROLLBACK", fn)
}

// write runs fn in one transaction, which is kept if fn succeeds.
func (s *side) write(ctx context.Context, fn func(*conn) error) error {
	return inTransaction(ctx, s.pools.write, s.d.beginWrite, "COMMIT", fn)
}

func inTransaction(ctx context.Context, p *pool, begin, end string, fn func(*conn) error) error {
	c, err := p.get(ctx)
	if err != nil {
		return err
	}
	defer p.put(c)
	if err := c.begin(ctx, begin); err != nil {
		return err
	}
	if err := fn(c); err != nil {
		c.rollback(ctx)
		return err
	}
	if err := ctx.Err(); err != nil {
		c.rollback(ctx)
		return err
	}
	if err := c.control(context.WithoutCancel(ctx), end); err != nil {
		c.rollback(ctx)
		return fmt.Errorf("%s: %w", end, err)
	}
	return nil
}

func (s *side) renewEpoch(ctx context.Context, epoch string) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(ctx, "UPDATE meta SET value = $2 WHERE name = $1", metaEpoch, epoch)
		return err
	})
}
