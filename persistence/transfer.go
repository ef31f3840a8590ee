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
			return transfer{source: source, target: target, in: in, out: out, progress: progress}.run(ctx)
		})
	}); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	// From here on the target is whole, and there is no way back.
	if err := source.renewEpoch(context.WithoutCancel(ctx), newID()); err != nil {
		return fmt.Errorf("the target is complete, but the source could not be given another epoch; do not run it again: %w", err)
	}
	return nil
}
