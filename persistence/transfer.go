package persistence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// transferApplication is the name of a transfer's connections in pg_stat_activity,
// so that a transfer does not mistake itself for a node.
const transferApplication = "fechatter transfer"

// ErrTransferred means that the target holds all of the source, by an earlier transfer.
var ErrTransferred = errors.New("the target holds everything from the source already")

// noHurry is how long a statement of a transfer, or a pause between two, may last.
const noHurry = 24 * time.Hour

// Transferred is the progress of one table. Verified is set in the last report,
// when what arrived has been read back and compared.
type Transferred struct {
	Table    string
	Rows, Of int64
	Verified bool
}

// Transfer copies everything from one database to another, of either kind: ids,
// seqs, keys, sessions, secret and epoch, so that clients continue where they
// are. The target must be empty and is written in one transaction from one
// snapshot of the source: a transfer that fails or is interrupted leaves it
// empty. What arrived is read back and compared before the commit. Just before the
// commit the source gets another epoch: should anybody use it again, clients that
// return to it read everything anew, and at no moment do both have the same. A
// transfer of what the target holds already returns ErrTransferred. No node may use
// either database meanwhile. progress is called after each batch, from the caller's
// goroutine.
func Transfer(ctx context.Context, from, to Config, newID func() string, log *slog.Logger, progress func(Transferred)) (err error) {
	if from.URL == to.URL {
		return errors.New("source and target are the same database")
	}
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
			renewed := newID()
			t := transfer{source: source, target: target, in: in, out: out, renewed: renewed, progress: progress}
			if err := errors.Join(t.run(ctx), ctx.Err()); err != nil {
				return err
			}
			if err := source.renewEpoch(ctx, renewed); err != nil {
				return fmt.Errorf("renew the epoch of the source: %w", err)
			}
			return nil
		})
	}); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	return nil
}
