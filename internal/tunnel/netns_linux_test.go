package tunnel

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A remote network that only agents can reach: two machines with agents and behind them one with a server,
// each in a namespace of its own. The lines from here to the agents lose and delay packets, and can be cut. They
// are made of TUN devices, because the kernel's own emulation (netem) is missing on many machines.

const tunSetInterface = 0x400454ca // TUNSETIFF
const tunPlain = 0x0001 | 0x1000   // IFF_TUN, IFF_NO_PI

// playTun passes packets between a device and this process's standard streams. What names the device and its
// two ends: "name local peer".
func playTun(what string) error {
	var name, local, peer string
	if _, err := fmt.Sscan(what, &name, &local, &peer); err != nil {
		return err
	}
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR, 0)
	if err != nil {
		return err
	}
	var request [40]byte
	copy(request[:15], name)
	binary.NativeEndian.PutUint16(request[16:], tunPlain)
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), tunSetInterface, uintptr(unsafe.Pointer(&request))); e != 0 {
		return e
	}
	for _, line := range []string{"addr add " + local + " peer " + peer + " dev " + name, "link set " + name + " up", "link set lo up"} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	fmt.Println("listening", name)
	go func() {
		defer os.Exit(0) // the read below waits for a packet
		for {
			packet, err := readPacket(os.Stdin)
			if err != nil {
				return
			}
			_, _ = syscall.Write(fd, packet)
		}
	}()
	buffer := make([]byte, 4096)
	for {
		n, err := syscall.Read(fd, buffer)
		if err != nil {
			return err
		}
		if err := writePacket(os.Stdout, buffer[:n]); err != nil {
			return err
		}
	}
}

func readPacket(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(r, packet)
	return packet, err
}

func writePacket(w io.Writer, packet []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...))
	return err
}

// cable is the line between this machine and a namespace.
type cable struct {
	loss  float64
	delay time.Duration
	cut   atomic.Bool
}

func newCable(t *testing.T, namespace, name, here, there string, loss float64, delay time.Duration) *cable {
	t.Helper()
	c := &cable{loss: loss, delay: delay}
	near := newMachine(t, "", "tun", addressVariable+"="+name+" "+here+" "+there)
	far := newMachine(t, namespace, "tun", addressVariable+"="+name+" "+there+" "+here)
	near.address(t)
	far.address(t)
	var group sync.WaitGroup
	group.Go(func() { c.carry(far.in, near.out) })
	group.Go(func() { c.carry(near.in, far.out) })
	t.Cleanup(func() { _, _ = near.in.Close(), far.in.Close(); group.Wait() })
	return c
}

// carry passes packets on after the delay, in order.
func (c *cable) carry(to io.Writer, from io.Reader) {
	type parcel struct {
		due    time.Time
		packet []byte
	}
	queue := make(chan parcel, 10_000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p := range queue {
			<-time.After(time.Until(p.due))
			_ = writePacket(to, p.packet)
		}
	}()
	for {
		packet, err := readPacket(from)
		if err != nil {
			break
		}
		if c.cut.Load() || mrand.Float64() < c.loss {
			continue
		}
		select {
		case queue <- parcel{time.Now().Add(c.delay), packet}:
		default:
		}
	}
	close(queue)
	<-done
}

// ip configures the network, or skips the test where that is not permitted.
func ip(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		t.Skipf("network namespaces are not permitted here (they need root and iproute2): ip %s: %v %s", line, err, out)
	}
}

// remoteNetwork has two machines for agents, and a server that only they reach.
func remoteNetwork(t *testing.T) (primary, secondary, mail string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if device, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
		t.Skipf("TUN devices are not permitted here: %v", err)
	} else {
		_ = device.Close()
	}
	prefix := fmt.Sprintf("ot%d", os.Getpid())
	names := []string{prefix + "p", prefix + "s", prefix + "m"}
	for _, name := range names {
		ip(t, "netns add "+name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
		ip(t, "-n "+name+" link set lo up")
	}
	for i, agent := range names[:2] {
		inside := fmt.Sprintf("m%d", i)
		ip(t, fmt.Sprintf("-n %s link add inner type veth peer name %s netns %s", agent, inside, names[2]))
		ip(t, fmt.Sprintf("-n %s addr add 198.51.100.%d/30 dev inner", agent, 4*i+1))
		ip(t, "-n "+agent+" link set inner up")
		ip(t, fmt.Sprintf("-n %s addr add 198.51.100.%d/30 dev %s", names[2], 4*i+2, inside))
		ip(t, "-n "+names[2]+" link set "+inside+" up")
	}
	ip(t, "-n "+names[2]+" addr add 203.0.113.25/32 dev lo") // the server's own address, by either machine
	for i, agent := range names[:2] {
		ip(t, fmt.Sprintf("-n %s route add 203.0.113.25 via 198.51.100.%d", agent, 4*i+2))
	}
	return names[0], names[1], names[2]
}

func TestARemoteNetworkBehindBadLines(t *testing.T) {
	t.Parallel()
	one, two, mail := remoteNetwork(t)
	o := newOrbit(t, "one", newBook("primary", "secondary"))
	o.stop()
	o.serve(t, "0.0.0.0:0")
	port := o.address[strings.LastIndex(o.address, ":"):]
	name := fmt.Sprintf("ot%d", os.Getpid()%100_000)
	line := newCable(t, one, name+"a", "198.18.77.1", "198.18.77.2", 0.02, 10*time.Millisecond)
	newCable(t, two, name+"b", "198.18.77.5", "198.18.77.6", 0.01, 5*time.Millisecond)
	far := newMachine(t, mail, "echo", addressVariable+"=203.0.113.25:25").request(t)
	o.agentMachine(t, one, "198.18.77.1"+port, "primary")
	o.agentMachine(t, two, "198.18.77.5"+port, "secondary")
	until(t, "both agents connect over bad lines", o.online(2))
	if direct, err := net.DialTimeout("tcp", "203.0.113.25:25", 300*time.Millisecond); err == nil { // a gateway may answer for the whole world
		_ = direct.SetDeadline(time.Now().Add(300 * time.Millisecond))
		if exchange(direct, "are you the server") == nil {
			t.Error("the server can be reached without an agent")
		}
		_ = direct.Close()
	}

	conn := o.dial(t, far)
	data := make([]byte, 256<<10)
	_, _ = rand.Read(data)
	go func() { _, _ = conn.Write(data) }()
	back := make([]byte, len(data))
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadFull(conn, back); err != nil || !bytes.Equal(back, data) {
		t.Fatalf("with loss and delay: %v", err)
	}
	_ = conn.SetReadDeadline(time.Time{})

	line.cut.Store(true)
	cut := time.Now()
	through := ""
	next, err := o.Dial(t.Context(), far, func(p Progress) { through = p.Text })
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	swap(t, next, "by the other way")
	if took := time.Since(cut); took > 15*time.Second || !strings.Contains(through, "secondary") {
		t.Errorf("after %s through %s", took, through)
	}
	_ = conn.SetReadDeadline(cut.Add(15 * time.Second))
	if _, err := conn.Read(back); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the tunnel over the cut line ended with %v after %s", err, time.Since(cut))
	}

	until(t, "the dead link is given up", o.online(1))
	line.cut.Store(false)
	mended := time.Now()
	until(t, "the first agent comes back", o.online(2))
	t.Logf("failover to the secondary, and back %s after the line was mended", time.Since(mended).Round(time.Millisecond))
}
