package proxy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"
)

// The PROXY protocol (haproxy.org, proxy-protocol.txt): a load balancer's first octets name the client.
const (
	maxHeader1   = 107 // section 2.1, with its line end
	maxHeader2   = 1 << 10
	signature2   = "\r\n\r\n\x00\r\nQUIT\n"
	headerTime   = 10 * time.Second
	familyTCP4   = 0x11
	familyTCP6   = 0x21
	commandLocal = 0x20
	commandProxy = 0x21
)

// readProxyHeader takes the header and not one octet more: TLS may follow. The address is zero when the
// balancer speaks for itself.
func readProxyHeader(conn net.Conn) (netip.AddrPort, error) {
	_ = conn.SetReadDeadline(time.Now().Add(headerTime))
	start := make([]byte, len(signature2))
	if _, err := io.ReadFull(conn, start); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errHeader, err)
	}
	switch {
	case string(start) == signature2:
		return readHeader2(conn)
	case bytes.HasPrefix(start, []byte("PROXY ")):
		return readHeader1(conn, start)
	}
	return netip.AddrPort{}, errHeader
}

// readHeader1 reads the rest of "PROXY TCP4 192.0.2.1 192.0.2.2 56324 993", octet by octet up to its end.
func readHeader1(conn io.Reader, line []byte) (netip.AddrPort, error) {
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		if len(line) == maxHeader1 {
			return netip.AddrPort{}, errHeader
		}
		line = append(line, 0)
		if _, err := io.ReadFull(conn, line[len(line)-1:]); err != nil {
			return netip.AddrPort{}, fmt.Errorf("%w: %w", errHeader, err)
		}
	}
	words := strings.Split(strings.TrimSuffix(string(line), "\r\n"), " ")
	if words[1] == "UNKNOWN" {
		return netip.AddrPort{}, nil
	}
	if len(words) != 6 || words[1] != "TCP4" && words[1] != "TCP6" {
		return netip.AddrPort{}, errHeader
	}
	address, err := netip.ParseAddrPort(net.JoinHostPort(words[2], words[4]))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errHeader, err)
	}
	return address, nil
}

// readHeader2 reads what follows the signature of version 2: command, family, length, addresses.
func readHeader2(conn io.Reader) (netip.AddrPort, error) {
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errHeader, err)
	}
	size := int(binary.BigEndian.Uint16(head[2:]))
	if size > maxHeader2 {
		return netip.AddrPort{}, errHeader
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(conn, body); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errHeader, err)
	}
	switch {
	case head[0] == commandLocal:
		return netip.AddrPort{}, nil
	case head[0] != commandProxy:
		return netip.AddrPort{}, errHeader
	case head[1] == familyTCP4 && size >= 12:
		return addrPort(body[:4], body[8:]), nil
	case head[1] == familyTCP6 && size >= 36:
		return addrPort(body[:16], body[32:]), nil
	}
	return netip.AddrPort{}, nil // a family that has no addresses that we know
}

func addrPort(address, port []byte) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(address)
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(port))
}
