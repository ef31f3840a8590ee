package indexer

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/meilisearch/meilisearch-go"
)

const rebuildMark = "_rebuild_"

// meiliRebuild is an index beside that of a Meili, under a name of its own.
type meiliRebuild struct {
	m       *Meili
	uid     string
	created time.Time
}

var errRebuildLost = errors.New("the server has lost the index that was being built")

// Rebuild removes what earlier rebuilds left behind and creates an empty index.
func (m *Meili) Rebuild(ctx context.Context) (Rebuild, error) {
	ctx, cancel := context.WithTimeout(ctx, settingsTimeout)
	defer cancel()
	if err := m.removeRebuilds(ctx); err != nil {
		return nil, err
	}
	uid := m.name + rebuildMark + strings.ToLower(rand.Text())
	if err := m.create(ctx, uid); err != nil {
		return nil, err
	}
	index, err := m.client.GetIndex(ctx, uid)
	if err != nil {
		return nil, meiliError("look for the new index", err)
	}
	return &meiliRebuild{m: m, uid: uid, created: index.CreatedAt}, nil
}

func (m *Meili) removeRebuilds(ctx context.Context) error {
	list, err := m.client.ListIndexes(ctx, &meilisearch.IndexesQuery{Limit: 1000})
	if err != nil {
		return meiliError("list indexes", err)
	}
	for _, index := range list.Results {
		if strings.HasPrefix(index.UID, m.name+rebuildMark) {
			if err := m.remove(ctx, index.UID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Apply is that of Index, for the new index.
func (r *meiliRebuild) Apply(ctx context.Context, b Batch) error {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	if err := r.intact(ctx); err != nil {
		return err
	}
	return r.m.apply(ctx, r.uid, b)
}

// Swap exchanges the two indexes, which the server does atomically, and deletes the
// old one; if that fails, the next Rebuild does. If the answer is lost, the new index
// may be in place nevertheless.
func (r *meiliRebuild) Swap(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settingsTimeout)
	defer cancel()
	if err := r.intact(ctx); err != nil {
		return err
	}
	if _, err := r.m.client.GetIndex(ctx, r.m.name); meiliMissing(err) {
		if err := r.m.create(ctx, r.m.name); err != nil {
			return err
		}
	}
	task, err := r.m.client.SwapIndexes(ctx, []*meilisearch.SwapIndexesParams{{Indexes: []string{r.m.name, r.uid}}})
	if err == nil {
		err = r.m.wait(ctx, task)
	}
	if err != nil {
		return meiliError("swap indexes", err)
	}
	if err := r.m.remove(ctx, r.uid); err != nil {
		r.m.log.Warn("cannot delete the old search index", "index", r.uid, "error", err)
	}
	return nil
}

// Drop deletes the new index.
func (r *meiliRebuild) Drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settingsTimeout)
	defer cancel()
	return r.m.remove(ctx, r.uid)
}

// intact fails if the server was emptied in the meantime: the next document would
// make it create an index with that name again, without the earlier documents.
func (r *meiliRebuild) intact(ctx context.Context) error {
	index, err := r.m.client.GetIndex(ctx, r.uid)
	if err != nil {
		return meiliError("look for the new index", err)
	}
	if !index.CreatedAt.Equal(r.created) {
		return meiliError("look for the new index", errRebuildLost)
	}
	return nil
}
