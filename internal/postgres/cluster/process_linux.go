package cluster

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// endWithParent makes the kernel send SIGINT, PostgreSQL's fast shutdown, when the thread that started the
// child ends. This is what stops the server of an Orbit that was killed.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// runsIn reports whether process pid is alive and works in directory dir, as a PostgreSQL server does in
// its data directory. A process id alone proves nothing: in a container the same small ids come again.
func runsIn(pid int, dir string) bool {
	cwd, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	return err == nil && cwd == dir
}
