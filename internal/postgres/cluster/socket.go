package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxSocketPath is what struct sockaddr_un leaves for a path: 108 bytes on Linux, 104 on macOS and the
// BSDs, one of them for the final zero.
const maxSocketPath = 103

// socketDir is where the server listens: beside the data, or, when that path does not fit, in the directory
// for temporary files under a name that every process derives from the data directory.
func socketDir(dir string) (string, error) {
	beside := filepath.Join(dir, "run")
	if fits(beside) {
		return beside, nil
	}
	sum := sha256.Sum256([]byte(dir))
	name := fmt.Sprintf("orbit-%d-%s", os.Geteuid(), hex.EncodeToString(sum[:6]))
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		if short := filepath.Join(parent, name); fits(short) {
			return short, nil
		}
	}
	return "", fmt.Errorf("the path of the data directory %s is too long for PostgreSQL's socket: choose a shorter ORBIT_DATA_DIR", dir)
}

// fits also refuses a comma: PostgreSQL's clients take it for the end of a host name.
func fits(dir string) bool {
	return len(filepath.Join(dir, socketFile)) <= maxSocketPath && !strings.Contains(dir, ",")
}
