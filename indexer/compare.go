package indexer

import (
	"context"
	"time"
)

// comparePage is how many messages are compared at a time.
const comparePage = 1000

// comparison finds differences between index and database, a page at a time, and
// queues them. There should be none: it is for what the outbox cannot know of, such
// as an index or a database restored from a backup.
type comparison struct {
	next     time.Time // when to go on
	database string    // messages up to this id have been compared
	extra    bool      // messages are done; now documents without a message
	index    string    // where to go on in the index
	over     bool
	queued   int
}

// proceed compares a page when it is time to. After a difference it starts over at
// once: in an index paged by offset, removals have shifted documents past the page.
func (c *comparison) proceed(ctx context.Context, x *Indexer) error {
	if time.Now().Before(c.next) {
		return nil
	}
	if err := c.step(ctx, x); err != nil {
		return err
	}
	switch {
	case !c.over:
		c.next = time.Now().Add(x.cfg.PollEvery)
	case c.queued > 0:
		x.log.Warn("search index and database differed", "messages", c.queued)
		*c = comparison{next: time.Now().Add(x.cfg.PollEvery)}
	default:
		*c = comparison{next: time.Now().Add(x.cfg.CompareEvery)}
	}
	return nil
}

// step compares one page and queues what differs. QueueIndex ignores what already
// waits in the outbox, which is expected to differ: it has changed since, or the
// engine refuses it.
func (c *comparison) step(ctx context.Context, x *Indexer) error {
	wrong, err := c.nextPage(ctx, x)
	if err != nil || len(wrong) == 0 {
		return err
	}
	queued, err := x.store.QueueIndex(ctx, wrong)
	c.queued += queued
	return err
}

// nextPage returns the ids on the next page that must be indexed again.
func (c *comparison) nextPage(ctx context.Context, x *Indexer) ([]string, error) {
	if c.extra {
		return c.documents(ctx, x)
	}
	return c.messages(ctx, x)
}

func (c *comparison) messages(ctx context.Context, x *Indexer) (wrong []string, err error) {
	page, next, err := x.store.IndexPage(ctx, c.database, comparePage)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(page))
	for i, m := range page {
		ids[i] = m.ID
	}
	indexed, err := x.index.Versions(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, m := range page {
		if indexed[m.ID] != m.Version {
			wrong = append(wrong, m.ID)
		}
	}
	c.database, c.extra = next, next == ""
	return wrong, nil
}

func (c *comparison) documents(ctx context.Context, x *Indexer) (wrong []string, err error) {
	ids, next, err := x.index.Page(ctx, c.index, comparePage)
	if err != nil {
		return nil, err
	}
	stored, err := x.store.MessageVersions(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, ok := stored[id]; !ok {
			wrong = append(wrong, id)
		}
	}
	c.index, c.over = next, next == ""
	return wrong, nil
}
