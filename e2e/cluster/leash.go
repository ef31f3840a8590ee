package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// leash is a process group that dies with this process, however that ends: a shell
// in it waits for the end of a pipe and then kills the group.
type leash struct {
	shell *exec.Cmd
	pipe  io.Closer
}

func newLeash(ctx context.Context) (*leash, error) {
	shell := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", "-c", "read -r _; kill -9 0")
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := shell.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	if err := shell.Start(); err != nil {
		return nil, fmt.Errorf("start shell: %w", err)
	}
	return &leash{shell, pipe}, nil
}

func (l *leash) group() int { return l.shell.Process.Pid }

// close kills what is left of the group.
func (l *leash) close() error {
	ended := make(chan struct{})
	err := l.pipe.Close()
	go func() {
		_ = l.shell.Wait() // it was killed, by itself
		close(ended)
	}()
	select {
	case <-ended:
		return err
	case <-time.After(patience):
		return errors.Join(err, errors.New("the shell that holds the processes does not end"))
	}
}
