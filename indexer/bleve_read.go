package indexer

import (
	"context"
	"fmt"

	"github.com/blevesearch/bleve/v2/index/scorch"
)

// Count returns the number of documents.
func (b *Bleve) Count(ctx context.Context) (int64, error) {
	var count uint64
	err := b.read(ctx, func(snapshot *scorch.IndexSnapshot) (err error) {
		count, err = snapshot.DocCount()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count documents: %w", err)
	}
	return int64(count), nil
}

// Position implements positioned.
func (b *Bleve) Position(ctx context.Context) (position string, err error) {
	err = b.read(ctx, func(snapshot *scorch.IndexSnapshot) error {
		value, err := snapshot.GetInternal([]byte(positionKey))
		position = string(value)
		return err
	})
	return position, err
}

// Versions returns the versions of those of the documents that exist.
func (b *Bleve) Versions(ctx context.Context, ids []string) (map[string]int64, error) {
	var versions map[string]int64
	err := b.read(ctx, func(snapshot *scorch.IndexSnapshot) (err error) {
		versions, err = versionsIn(ctx, snapshot, ids)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read versions: %w", err)
	}
	return versions, nil
}

func versionsIn(ctx context.Context, snapshot *scorch.IndexSnapshot, ids []string) (map[string]int64, error) {
	versions := make(map[string]int64, len(ids))
	for _, s := range snapshot.Segments() {
		docs, err := s.DocNumbers(ids)
		if err != nil {
			return nil, err
		}
		for all, n := docs.Iterator(), 0; all.HasNext(); n++ {
			if err := giveWay(ctx, n); err != nil {
				return nil, err
			}
			hit, _, err := candidate{in: s, doc: uint64(all.Next())}.hit(&plan{})
			if err != nil {
				return nil, err
			}
			versions[hit.ID] = hit.Version
		}
	}
	return versions, nil
}

// Page lists ids in ascending order. next is the last id of the page.
func (b *Bleve) Page(ctx context.Context, after string, limit int) (ids []string, next string, err error) {
	err = b.read(ctx, func(snapshot *scorch.IndexSnapshot) error {
		ids, next, err = pageIn(ctx, snapshot, after, limit)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list documents: %w", err)
	}
	return ids, next, nil
}

// pageIn walks the dictionary of ids, which includes those of deleted documents.
func pageIn(ctx context.Context, snapshot *scorch.IndexSnapshot, after string, limit int) ([]string, string, error) {
	var begin []byte
	if after != "" {
		begin = append([]byte(after), 0)
	}
	all, err := snapshot.FieldDictRange("_id", begin, nil)
	if err != nil {
		return nil, "", err
	}
	defer all.Close()
	var ids []string
	for n := 0; ; n++ {
		if err := giveWay(ctx, n); err != nil {
			return nil, "", err
		}
		entry, err := all.Next()
		if err != nil || entry == nil {
			return ids, "", err
		}
		if len(ids) == limit {
			return ids, ids[limit-1], nil
		}
		if there, err := has(snapshot, entry.Term); err != nil {
			return nil, "", err
		} else if there {
			ids = append(ids, entry.Term)
		}
	}
}

func has(snapshot *scorch.IndexSnapshot, id string) (bool, error) {
	for _, s := range snapshot.Segments() {
		docs, err := s.DocNumbers([]string{id})
		if err != nil || !docs.IsEmpty() {
			return err == nil, err
		}
	}
	return false, nil
}
