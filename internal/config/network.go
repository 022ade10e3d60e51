package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// address checks a host:port to listen on; an empty host means every address of this machine.
func (r *reader) address(name, value string) string {
	if value == "" {
		return ""
	}
	_, port, err := net.SplitHostPort(value)
	if err != nil || !isPort(port) {
		r.refuse(name, value, "which is not host:port: write something like 127.0.0.1:8080, or :8080 for all addresses of this machine")
	}
	return value
}

// isPort accepts 0 too: the system then chooses.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// list splits at commas and white space.
func list(value string) []string {
	return strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) })
}

func (r *reader) networks(name, value string) []netip.Prefix {
	var networks []netip.Prefix
	for _, item := range list(value) {
		network, ok := parseNetwork(item)
		if !ok {
			r.refuse(name, item, "which is neither an address nor a network: write something like 10.0.0.5 or 10.0.0.0/8, separated by commas")
			continue
		}
		networks = append(networks, network)
	}
	return networks
}

// parseNetwork takes 10.0.0.0/8, and 10.0.0.5 for the network of that one address.
func parseNetwork(text string) (netip.Prefix, bool) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return network.Masked(), true
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, false
	}
	address = address.Unmap()
	return netip.PrefixFrom(address, address.BitLen()), true
}

// destinations checks networks and host:port, and gives networks back in CIDR form.
func (r *reader) destinations(name, value string) []string {
	var destinations []string
	for _, item := range list(value) {
		if network, ok := parseNetwork(item); ok {
			destinations = append(destinations, network.String())
			continue
		}
		host, port, err := net.SplitHostPort(item)
		if err != nil || host == "" || !isPort(port) || port == "0" {
			r.refuse(name, item, "which is neither a network nor host:port: write something like 127.0.0.0/8 or mail.example.com:25, separated by commas")
			continue
		}
		destinations = append(destinations, net.JoinHostPort(strings.ToLower(host), port))
	}
	return destinations
}

// baseURL checks the address that people use, or makes it from the one that Orbit listens on.
func (r *reader) baseURL(value string, c Config) *url.URL {
	if value == "" {
		return r.derivedURL(c)
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		r.refuse("BASE_URL", value, "which is not the address of a web site: write something like https://orbit.example.com")
		return &url.URL{}
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		r.refuse("BASE_URL", value, "but Orbit needs a host of its own: write only scheme, host and port, like %s://%s", u.Scheme, u.Host)
	case c.TLSCertFile != "" && u.Scheme == "http":
		r.warn("%sBASE_URL is %q, but %[1]sTLS_CERT_FILE makes Orbit speak https: let it begin with https://.", prefix, value)
	}
	u.Path = ""
	return u
}

func (r *reader) derivedURL(c Config) *url.URL {
	u := &url.URL{Scheme: "http"}
	if c.TLSCertFile != "" {
		u.Scheme = "https"
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return u // address has said what is wrong
	}
	ip, err := netip.ParseAddr(host)
	if host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
		r.warn("%sBASE_URL is not set, so links lead to %s://localhost, which works on this machine only: "+
			"set it to the address under which people reach Orbit.", prefix, u.Scheme)
	}
	u.Host = net.JoinHostPort(host, port)
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	return u
}
