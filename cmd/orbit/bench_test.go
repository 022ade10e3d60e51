package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"orbit/internal/postgres/pgtest"
)

// Start-up and memory of the real program with a private cluster: cold start to the first page under 5 s, warm
// under 1 s, and under 60 MB of memory of its own (RssAnon) at rest, PostgreSQL apart.
func BenchmarkStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "orbit")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	dir := pgtest.TempDir(b)
	for b.Loop() {
		if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
			b.Fatal(err)
		}
		cold, _ := firstPage(b, program, filepath.Join(dir, "data"))
		warm, memory := firstPage(b, program, filepath.Join(dir, "data"))
		b.ReportMetric(cold.Seconds(), "cold-s")
		b.ReportMetric(warm.Seconds(), "warm-s")
		b.ReportMetric(float64(memory)/1024, "RssAnon-MB")
		b.ReportMetric(0, "ns/op")
		if cold > 5*time.Second || warm > time.Second || memory > 60<<10 {
			b.Errorf("cold %s (5 s), warm %s (1 s), %d kB (60 MB)", cold, warm, memory)
		}
	}
}

// firstPage starts the program, loads the sign-in page and stops it again.
func firstPage(b *testing.B, program, dataDir string) (took time.Duration, rssAnonKB int) {
	b.Helper()
	ctx, stop := context.WithTimeout(b.Context(), time.Minute)
	defer stop()
	address := freeAddress(b)
	cmd := exec.CommandContext(ctx, program, "serve")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = append(os.Environ(), "ORBIT_DATA_DIR="+dataDir, "ORBIT_LISTEN="+address, "ORBIT_LOG_LEVEL=warn", "ORBIT_CONNECTOR_LISTEN=127.0.0.1:0")
	output, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	awaitLine(b, output, "Orbit is running")
	response, err := http.Get("http://" + address + "/login") //nolint:noctx // the whole run has a deadline
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	took = time.Since(started)
	rssAnonKB = rssAnon(b, cmd.Process.Pid)
	stop()
	_ = cmd.Wait()
	return took, rssAnonKB
}

func awaitLine(b *testing.B, r io.Reader, want string) {
	b.Helper()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.Contains(lines.Text(), want) {
			return
		}
	}
	b.Fatalf("the program never said %q", want)
}

func freeAddress(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func rssAnon(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("memory is measured on Linux only")
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "RssAnon:"); found {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return kb
		}
	}
	b.Fatal("no RssAnon in /proc")
	return 0
}
