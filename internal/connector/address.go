package connector

import "net/netip"

// block is a range of addresses with the words for people.
type block struct {
	prefix netip.Prefix
	rule   string
}

// never lists what is refused whatever the configuration says. The metadata services of clouds hand out
// credentials to whoever can reach them.
var never = []block{
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local addresses, with the metadata services of clouds, are always refused"}, // RFC 3927
	{netip.MustParsePrefix("fe80::/10"), "link-local addresses are always refused"},                                             // RFC 4291 2.5.6
	{netip.MustParsePrefix("fd00:ec2::/32"), "the metadata service of Amazon is always refused"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "the metadata service of Google is always refused"},
	{netip.MustParsePrefix("fd00:42::42/128"), "the metadata service of Scaleway is always refused"},
	{netip.MustParsePrefix("100.100.100.200/32"), "the metadata service of Alibaba is always refused"},
	{netip.MustParsePrefix("168.63.129.16/32"), "the wire server of Azure is always refused"},
	{netip.MustParsePrefix("192.0.0.192/32"), "the metadata service of Oracle is always refused"},
	{netip.MustParsePrefix("0.0.0.0/8"), "the unspecified address is always refused"},             // RFC 1122 3.2.1.3; it reaches this machine
	{netip.MustParsePrefix("::/128"), "the unspecified address is always refused"},                // likewise
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast addresses are always refused"},              // RFC 5771
	{netip.MustParsePrefix("ff00::/8"), "multicast addresses are always refused"},                 // RFC 4291 2.7
	{netip.MustParsePrefix("240.0.0.0/4"), "broadcast and reserved addresses are always refused"}, // RFC 1112 4, RFC 919 7
}

// carrier is a range of IPv6 addresses that carry an IPv4 address: whoever dials one may reach the other.
type carrier struct {
	prefix netip.Prefix
	at     int  // index of the first byte of the IPv4 address
	hidden bool // the bits are inverted
}

var carriers = []carrier{
	{netip.MustParsePrefix("::/96"), 12, false},           // IPv4-compatible, RFC 4291 2.5.5.1
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12, false}, // SIIT, RFC 2765
	{netip.MustParsePrefix("64:ff9b::/96"), 12, false},    // NAT64, RFC 6052
	{netip.MustParsePrefix("2002::/16"), 2, false},        // 6to4, RFC 3056
	{netip.MustParsePrefix("2001::/32"), 12, true},        // Teredo, RFC 4380: the client
	{netip.MustParsePrefix("2001::/32"), 4, false},        // Teredo: the server
}

// localNAT64 is the range that networks divide as they like (RFC 8215).
var localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")

// plain drops what does not matter for where a packet goes: the IPv4-mapped form and the zone.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// forms returns an address and the IPv4 addresses that it carries.
func forms(addr netip.Addr) []netip.Addr {
	all := []netip.Addr{addr}
	if !addr.Is6() || addr == netip.IPv6Loopback() || addr == netip.IPv6Unspecified() {
		return all
	}
	b := addr.As16()
	for _, c := range carriers {
		if c.prefix.Contains(addr) {
			all = append(all, carried(b, c.at, c.hidden))
		}
	}
	if localNAT64.Contains(addr) {
		all = append(all, translated(b)...)
	}
	if isatap(b) {
		all = append(all, carried(b, 12, false))
	}
	return all
}

func carried(b [16]byte, at int, hidden bool) netip.Addr {
	v4 := [4]byte(b[at : at+4])
	if hidden {
		for i := range v4 {
			v4[i] = ^v4[i]
		}
	}
	return netip.AddrFrom4(v4)
}

// translated finds the IPv4 address in a local NAT64 address. It is mostly the end; in the shorter prefixes of
// RFC 6052 2.2 it begins after 48, 56 or 64 bits and zeros follow, so then each of these is looked at.
func translated(b [16]byte) []netip.Addr {
	if b[13] != 0 || b[14] != 0 || b[15] != 0 {
		return []netip.Addr{carried(b, 12, false)}
	}
	var all []netip.Addr
	for _, at := range []int{6, 7, 9} {
		if v4 := split(b, at); v4.As4()[0] != 0 { // a zero shows that it does not begin here
			all = append(all, v4)
		}
	}
	return all
}

// split takes the four bytes from at on, leaving out byte 8, which RFC 6052 2.2 keeps zero.
func split(b [16]byte, at int) netip.Addr {
	var v4 [4]byte
	for i := range v4 {
		v4[i] = b[at]
		if at++; at == 8 {
			at++
		}
	}
	return netip.AddrFrom4(v4)
}

// isatap recognises the interface identifier 0000:5efe or 0200:5efe (RFC 5214 6.1).
func isatap(b [16]byte) bool {
	return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
