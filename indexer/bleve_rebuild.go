package indexer

import (
	"context"
	"errors"
)

var errEnded = errors.New("the rebuild has ended")

// bleveRebuild is an index that is built beside the current one.
type bleveRebuild struct {
	bleve *Bleve
	files *files
}

// Rebuild begins an empty index beside the current one.
func (b *Bleve) Rebuild(ctx context.Context) (Rebuild, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.rebuilt != nil {
		b.discard(b.rebuilt.files)
		b.rebuilt = nil
	}
	begun, err := b.begin()
	if err != nil {
		return nil, err
	}
	b.rebuilt = &bleveRebuild{b, begun}
	return b.rebuilt, nil
}

// ended reports whether it was swapped, dropped, or replaced by a later one.
func (r *bleveRebuild) ended() bool { return r.bleve.rebuilt != r }

func (r *bleveRebuild) Apply(ctx context.Context, b Batch) error {
	if r.ended() {
		return errEnded
	}
	return r.files.apply(ctx, b)
}

func (r *bleveRebuild) Swap(ctx context.Context) error {
	if r.ended() {
		return errEnded
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.bleve.install(r.files); err != nil {
		return err
	}
	r.bleve.rebuilt = nil
	return nil
}

func (r *bleveRebuild) Drop(context.Context) error {
	if r.ended() {
		return nil
	}
	r.bleve.rebuilt = nil
	r.bleve.discard(r.files)
	return nil
}
