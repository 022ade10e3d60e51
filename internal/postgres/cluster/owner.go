package cluster

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner is the operating-system user that the server runs as. PostgreSQL refuses to run as root, so root
// hands the server to the user postgres, which every package creates.
type owner struct {
	uid, gid uint32
	name     string
	switches bool // the server runs as somebody else than this process
}

func serverOwner() (owner, error) {
	if os.Geteuid() != 0 {
		me, err := user.Current()
		if err != nil {
			return owner{}, fmt.Errorf("PostgreSQL needs the user id %d to have a name in /etc/passwd: add one, "+
				"or set ORBIT_DATABASE_URL to a PostgreSQL server that is running elsewhere", os.Geteuid())
		}
		return owner{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid()), name: me.Username}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return owner{}, fmt.Errorf("PostgreSQL does not run as root, and this machine has no user postgres: "+
			"install PostgreSQL with `%s`, or start Orbit as another user", InstallCommand())
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return owner{}, fmt.Errorf("user id of postgres: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return owner{}, fmt.Errorf("group id of postgres: %w", err)
	}
	return owner{uid: uint32(uid), gid: uint32(gid), name: u.Username, switches: true}, nil
}

// command prepares a program that runs as the owner, without this process's environment: it holds
// passwords, and PGPORT or PGDATA would lead the server elsewhere.
func (o owner) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.Dir = "/"
	// A group of its own: Ctrl-C in the terminal is for Orbit, which stops the server when it has ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if o.switches {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: o.uid, Gid: o.gid}
	}
	endWithParent(cmd.SysProcAttr)
	return cmd
}

// prepare makes the directory that holds everything, if it can be used, and returns its real path.
func (o owner) prepare(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", describeFile("find", dir, err)
	}
	if err := o.mayEnter(dir); err != nil { // before anything is created
		return "", err
	}
	if _, err := os.Stat(dir); err != nil {
		if err := os.MkdirAll(dir, o.dirMode()); err != nil {
			return "", describeFile("create", dir, err)
		}
		if err := os.Chmod(dir, o.dirMode()); err != nil { // whatever the umask says
			return "", describeFile("create", dir, err)
		}
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return "", describeFile("find", dir, err)
	}
	return dir, o.mayEnter(dir)
}

// dirMode lets the server's user pass through a directory of root's, without looking around.
func (o owner) dirMode() os.FileMode {
	if o.switches {
		return 0o711
	}
	return 0o700
}

// mayEnter checks that the owner can pass every existing directory on the way into path.
func (o owner) mayEnter(path string) error {
	if !o.switches {
		return nil
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() && !o.passes(info) {
			return fmt.Errorf("PostgreSQL does not run as root but as user %s, who may not enter %s: "+
				"set ORBIT_DATA_DIR to a directory elsewhere, such as /var/lib/orbit, or allow it with `chmod o+x %[2]s`", o.name, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func (o owner) passes(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	switch {
	case stat.Uid == o.uid:
		return info.Mode()&0o100 != 0
	case stat.Gid == o.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}

// makeDir creates a directory that only the owner may use, or checks that an existing one is such.
func (o owner) makeDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return describeFile("create", dir, err)
	}
	if o.switches && ownedBy(dir, 0) { // just created, now or by an Orbit that was killed in this moment
		if err := os.Lchown(dir, int(o.uid), int(o.gid)); err != nil {
			return describeFile("give to "+o.name, dir, err)
		}
	}
	return o.owns(dir)
}

func ownedBy(path string, uid uint32) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == uid
}

// owns refuses a directory of somebody else: the server would refuse it too, in words that do not help.
func (o owner) owns(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return describeFile("read", dir, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is in the way: it must be a directory", dir)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != o.uid {
		return fmt.Errorf("%s belongs to user %s, but PostgreSQL would run as user %s: start Orbit as the user "+
			"who created it, or set ORBIT_DATA_DIR to another directory", dir, userName(stat.Uid), o.name)
	}
	return nil
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
