package mailtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
)

// SSHServer is a running OpenSSH server.
type SSHServer struct {
	Port        int
	Username    string // who may sign in: whoever runs the test
	PrivateKey  string // with this key, in PEM form
	Fingerprint string // of its host key, "SHA256:..."
}

// SSHD runs OpenSSH with a host key of its own. More lines may be added to its configuration, such as
// "AllowTcpForwarding no". Start it before what connects to it: then that ends first, and the server need not wait.
func SSHD(t testing.TB, lines ...string) SSHServer {
	t.Helper()
	path, dir := program(t, "sshd", "openssh-server"), openDir(t)
	if os.Getuid() == 0 { // where it locks itself up before the sign-in
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	host, hostKey := sshKey(t)
	client, clientKey := sshKey(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "host_key"), hostKey, 0o600); err != nil {
		t.Fatal(err)
	}
	keys := confFile(t, dir, "authorized_keys", string(ssh.MarshalAuthorizedKey(client)))
	pam := "no"
	if os.Getuid() != 0 { // it may not read /etc/shadow itself, and takes the account for locked
		pam = "yes"
	}
	ports := start(t, 1, func(ports []int) *exec.Cmd {
		text := fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\n", ports[0], filepath.Join(dir, "host_key"), keys)
		text += "UsePAM " + pam + "\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPidFile none\n"
		for _, line := range lines {
			text += line + "\n"
		}
		return exec.Command(path, "-D", "-e", "-f", confFile(t, dir, "sshd_config", text))
	})
	return SSHServer{Port: ports[0], Username: me.Username, PrivateKey: string(clientKey), Fingerprint: ssh.FingerprintSHA256(host)}
}

// sshKey makes a pair of keys; the private one is in OpenSSH's PEM form.
func sshKey(t testing.TB) (ssh.PublicKey, []byte) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "orbit test")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(block)
}
