package filestest

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fechatter/files"
)

// patience is how long the S3 server may take to start.
const patience = 30 * time.Second

// StartS3 starts a real S3 server (Versity's gateway, which make builds) and returns the address of
// a bucket in it. It ends with the test, which is skipped where there is none.
func StartS3(t *testing.T) string {
	t.Helper()
	program, err := filepath.Abs("../bin/versitygw")
	if err == nil {
		program, err = exec.LookPath(program)
	}
	if err != nil {
		t.Skipf("no S3 server: make bin/versitygw: %v", err)
	}
	place := freePort(t)
	const key, secret = "test", "a-secret-of-the-tests"
	cmd := exec.Command(program, "--port", place, "--access", key, "--secret", secret, "--quiet", "posix", t.TempDir())
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it keeps nothing that is needed
		_ = cmd.Wait()
	})
	address := "s3://" + key + ":" + secret + "@" + place + "/files?tls=off&region=us-east-1"
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if _, err := files.Open(ctx, address); err == nil {
			return address
		} else if ctx.Err() != nil {
			t.Fatalf("the S3 server does not answer: %v\n%s", err, &out)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
