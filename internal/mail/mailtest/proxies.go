package mailtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Microsocks runs the SOCKS5 proxy microsocks, with a password unless username is empty, and returns its port.
func Microsocks(t testing.TB, username, password string) int {
	t.Helper()
	path := program(t, "microsocks", "microsocks")
	return start(t, 1, func(ports []int) *exec.Cmd {
		args := []string{"-i", "127.0.0.1", "-p", strconv.Itoa(ports[0])}
		if username != "" {
			args = append(args, "-u", username, "-P", password)
		}
		return exec.Command(path, args...)
	})[0]
}

// Dante runs the SOCKS5 proxy of Inferno Nettverk and returns its port. Its rules block the given port.
func Dante(t testing.TB, blocked int) int {
	t.Helper()
	path, dir := program(t, "danted", "dante-server"), openDir(t)
	return start(t, 1, func(ports []int) *exec.Cmd {
		file := confFile(t, dir, "danted.conf", fmt.Sprintf(`
			logoutput: stderr
			internal: 127.0.0.1 port = %d
			external: 127.0.0.1
			clientmethod: none
			socksmethod: none
			client pass { from: 0/0 to: 0/0 }
			socks block { from: 0/0 to: 0/0 port = %d }
			socks pass { from: 0/0 to: 0/0 protocol: tcp }
			`, ports[0], blocked))
		return exec.Command(path, "-f", file, "-p", filepath.Join(dir, "danted.pid"))
	})[0]
}

// Tinyproxy runs an HTTP proxy that lets CONNECT pass to the allowed ports only, with a password unless username
// is empty, and returns its port.
func Tinyproxy(t testing.TB, username, password string, allowed ...int) int {
	t.Helper()
	path, dir := program(t, "tinyproxy", "tinyproxy-bin"), openDir(t)
	return start(t, 1, func(ports []int) *exec.Cmd {
		text := fmt.Sprintf("Port %d\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nMaxClients 20\n", ports[0])
		if username != "" {
			text += fmt.Sprintf("BasicAuth %s %s\n", username, password)
		}
		for _, port := range allowed {
			text += fmt.Sprintf("ConnectPort %d\n", port)
		}
		return exec.Command(path, "-d", "-c", confFile(t, dir, "tinyproxy.conf", text))
	})[0]
}

// Squid runs an HTTP proxy that knows names which nobody else knows, and returns its port. It refuses CONNECT to
// all ports but the allowed ones.
func Squid(t testing.TB, names map[string]string, allowed ...int) int {
	t.Helper()
	path, dir := program(t, "squid", "squid"), openDir(t)
	if err := os.Chmod(dir, 0o777); err != nil { // as root it becomes the user proxy
		t.Fatal(err)
	}
	hosts := ""
	for name, address := range names {
		hosts += address + " " + name + "\n"
	}
	return start(t, 1, func(ports []int) *exec.Cmd {
		file := confFile(t, dir, "squid.conf", strings.Join([]string{
			fmt.Sprintf("http_port 127.0.0.1:%d", ports[0]),
			"hosts_file " + confFile(t, dir, "hosts", hosts),
			"visible_hostname squid.test",
			"acl allowed port " + strings.Trim(fmt.Sprint(allowed), "[]"),
			"http_access allow CONNECT allowed",
			"http_access deny all",
			"access_log none", "cache_log " + filepath.Join(dir, "cache.log"), "cache_store_log none",
			"pid_filename none", "netdb_filename none", "coredump_dir " + dir, "cache deny all", "pinger_enable off",
			"shutdown_lifetime 0 seconds", "connect_timeout 5 seconds", "forward_timeout 5 seconds",
			"max_filedescriptors 1024", "workers 1", "memory_pools off", "",
		}, "\n"))
		return exec.Command(path, "-N", "-f", file)
	})[0]
}

func confFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
