//go:build !linux

package cluster

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// endWithParent does nothing where the kernel cannot watch a parent; the next start stops the server that
// a killed Orbit left behind.
func endWithParent(*syscall.SysProcAttr) {}

// runsIn reports whether process pid is alive and is a PostgreSQL server started with data directory dir.
func runsIn(pid int, dir string) bool {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres") && strings.Contains(string(out), filepath.Clean(dir))
}
