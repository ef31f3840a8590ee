// Package indexer keeps a search engine's index equal to the messages in the
// database, and knows the engines: Bleve in this process, Meilisearch beside it.
//
// Whatever changes a message's content leaves a row in the outbox, in the same
// transaction. Of all nodes one at a time, by a lease, reads those rows in
// batches, gives the engine the messages as they are now, waits until it has
// them, and only then deletes the rows. So nothing is lost by a crash of either;
// what is indexed twice is the same both times.
//
// The package does not know who may see a message: a query comes confined to
// chats, and whoever asked checks each hit against the database.
package indexer
