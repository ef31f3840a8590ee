package indexer

import "context"

// comparePage is how many messages are compared at a time.
const comparePage = 1000

// comparison finds what is different in index and database, a page at a time,
// and queues it. Nothing should be: it is for what no outbox knows of, such as an
// index or a database that was restored from a backup.
type comparison struct {
	database string // messages up to this one are compared
	extra    bool   // the messages are done; now for documents that are no messages
	index    string // where the index goes on
	over     bool
	queued   int
}

func newComparison() *comparison { return &comparison{} }

// step compares one page.
func (c *comparison) step(ctx context.Context, x *Indexer) error {
	wrong, err := c.nextPage(ctx, x)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		c.queued += len(wrong)
		if err := x.store.QueueIndex(ctx, wrong); err != nil {
			return err
		}
	}
	if c.over && c.queued > 0 {
		x.log.Warn("index and database were different", "messages", c.queued)
	}
	return nil
}

// nextPage gives the ids of the next page that are to be indexed anew.
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
