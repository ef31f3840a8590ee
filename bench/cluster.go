package main

import (
	"context"
	"errors"
)

// cluster is the program under measurement: one node with its own parts, or
// several on shared ones.
type cluster struct {
	nodes    []*server
	services *services // nil for one node
}

func startCluster(ctx context.Context, o options) (*cluster, error) {
	c := &cluster{}
	var env []string
	if o.nodes > 1 {
		var err error
		if c.services, err = startServices(ctx); err != nil {
			return nil, err
		}
		env = c.services.env
	}
	for range o.nodes {
		s, err := startServer(ctx, o.program, env...)
		if err != nil {
			return nil, errors.Join(err, c.stop())
		}
		c.nodes = append(c.nodes, s)
	}
	return c, nil
}

// url returns the nodes in turn.
func (c *cluster) url(i int) string { return c.nodes[i%len(c.nodes)].url }

func (c *cluster) stop() error {
	var all []error
	for _, s := range c.nodes {
		all = append(all, s.stop())
	}
	if c.services != nil {
		all = append(all, c.services.stop())
	}
	return errors.Join(all...)
}
