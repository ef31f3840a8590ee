package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fechatter/persistence/postgrestest"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

// services are what several nodes share: a private PostgreSQL, durable as in production,
// and a NATS server in this process.
type services struct {
	postgres *postgrestest.Server
	nats     *natsserver.Server
	env      []string // the settings that point nodes to them
}

func startServices(ctx context.Context) (*services, error) {
	s := &services{}
	var err error
	if s.postgres, err = postgrestest.StartOnDisk(ctx); err != nil {
		return nil, err
	}
	database, err := s.postgres.Database(ctx)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.nats, err = natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make nats-server: %w", err), s.stop())
	}
	s.nats.Start()
	if !s.nats.ReadyForConnections(5 * time.Second) {
		return nil, errors.Join(errors.New("nats-server is not ready"), s.stop())
	}
	s.env = []string{"FECHATTER_DATABASE=" + database, "FECHATTER_NATS=" + s.nats.ClientURL()}
	return s, nil
}

func (s *services) stop() error {
	if s.nats != nil {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	}
	return s.postgres.Stop()
}
