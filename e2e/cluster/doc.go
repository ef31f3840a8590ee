// Package cluster runs several nodes as processes on one real PostgreSQL and one or
// more real NATS servers, with a proxy on every edge between them. It starts, stops,
// kills and freezes; it knows the program's settings and nothing of what it does.
package cluster
