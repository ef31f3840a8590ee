// Package cluster runs several nodes as processes on one PostgreSQL and one or
// more NATS servers, real ones, with a proxy on every edge between them. It
// starts, stops, kills and freezes; it knows the program's settings and nothing
// of what it does.
package cluster
