package indexer

import "sync/atomic"

// Stats counts what the indexer of this node has done since it was made.
type Stats struct {
	Leading   bool // this node keeps the index
	Batches   int64
	Documents int64 // changes indexed
	Refused   int64 // changes that the engine will not take
	Failures  int64 // times that the engine or the database failed it
}

type counters struct {
	leading                               atomic.Bool
	batches, documents, refused, failures atomic.Int64
}

// Stats reads the counters.
func (x *Indexer) Stats() Stats {
	c := &x.stats
	return Stats{Leading: c.leading.Load(), Batches: c.batches.Load(), Documents: c.documents.Load(),
		Refused: c.refused.Load(), Failures: c.failures.Load()}
}
