package cluster

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

// keptLines is how much of the server's log is kept to explain a failed start.
const keptLines = 30

// serverLog takes what the server writes, passes it on to Orbit's log, and notices when it is ready.
type serverLog struct {
	log   *slog.Logger
	ready chan struct{}

	mu      sync.Mutex
	partial []byte
	lines   []string
	isReady bool
}

func newServerLog(log *slog.Logger) *serverLog {
	return &serverLog{log: log, ready: make(chan struct{})}
}

// Write implements io.Writer.
func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.line(string(line))
		l.partial = rest
	}
}

func (l *serverLog) line(line string) {
	severity, text, found := strings.Cut(line, ":  ")
	if !found {
		severity, text = "", line
	}
	l.log.Log(context.Background(), level(severity), "postgres", "line", strings.TrimSpace(text))
	l.lines = append(l.lines, line)
	if len(l.lines) > keptLines {
		l.lines = l.lines[1:]
	}
	if !l.isReady && strings.Contains(text, "database system is ready to accept connections") {
		l.isReady = true
		close(l.ready)
	}
}

// last returns the end of the log.
func (l *serverLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(append(l.lines, string(l.partial)), "\n")
}

func level(severity string) slog.Level {
	if severity == "PANIC" {
		return slog.LevelError
	}
	// FATAL means one connection, whose client knows, or the end of the server, which is reported by itself.
	return slog.LevelDebug
}
