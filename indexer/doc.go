// Package indexer keeps a search index equal to the messages in the database. It
// knows the engines: Bleve inside this process and Meilisearch beside it.
//
// Every change to a message's content writes a row to the outbox in the same
// transaction. The one node that holds the lease reads these rows in batches, gives
// the engine the messages as they are now, waits until the engine has stored them,
// and only then deletes the rows. So a crash of either loses nothing, and indexing
// twice does no harm.
//
// The package does not know who may see a message: a query is confined to chats by
// its caller, who also checks every hit against the database.
package indexer
