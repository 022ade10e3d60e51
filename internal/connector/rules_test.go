package connector

import (
	"net/netip"
	"strings"
	"testing"
)

func rules(t *testing.T, allowed, denied string) Rules {
	t.Helper()
	r, err := ParseRules(allowed, denied)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRules(t *testing.T) {
	t.Parallel()
	const (
		pass  = ""
		local = "loopback"
	)
	for _, c := range []struct {
		address         string
		port            int
		allowed, denied string
		want            string // part of the rule; "" passes
	}{
		{"192.0.2.1", 587, "", "", pass},
		{"2001:db8::1", 587, "", "", pass},
		{"10.1.2.3", 25, "", "", pass},
		{"192.168.1.1", 25, "", "", pass},
		{"172.16.0.1", 25, "", "", pass},
		{"100.64.0.1", 25, "", "", pass},
		{"fd12:3456::1", 25, "", "", pass},
		{"64:ff9b::c000:201", 25, "", "", pass}, // NAT64 of 192.0.2.1
		{"2002:c000:201::1", 25, "", "", pass},  // 6to4 of 192.0.2.1

		{"169.254.169.254", 80, "", "", "link-local"},
		{"169.254.169.254", 80, "169.254.0.0/16", "", "link-local"}, // nothing allows it
		{"169.254.1.1", 25, "", "", "link-local"},
		{"fe80::1", 25, "", "", "link-local"},
		{"fe80::1%eth0", 25, "", "", "link-local"},
		{"fd00:ec2::254", 80, "", "", "Amazon"},
		{"fd20:ce::254", 80, "", "", "Google"},
		{"fd00:42::42", 80, "", "", "Scaleway"},
		{"100.100.100.200", 80, "", "", "Alibaba"},
		{"168.63.129.16", 80, "", "", "Azure"},
		{"192.0.0.192", 80, "", "", "Oracle"},
		{"0.0.0.0", 25, "", "", "unspecified"},
		{"0.1.2.3", 25, "", "", "unspecified"},
		{"::", 25, "::/0", "", "unspecified"},
		{"224.0.0.251", 25, "", "", "multicast"},
		{"ff02::fb", 25, "", "", "multicast"},
		{"255.255.255.255", 25, "", "", "broadcast"},
		{"240.0.0.1", 25, "", "", "reserved"},

		{"::ffff:169.254.169.254", 80, "", "", "link-local"},
		{"::169.254.169.254", 80, "", "", "link-local"},
		{"::ffff:0:169.254.169.254", 80, "", "", "link-local"},
		{"64:ff9b::a9fe:a9fe", 80, "", "", "link-local"},
		{"64:ff9b:1::169.254.169.254", 80, "", "", "link-local"},
		{"64:ff9b:1:a9fe:a9:fe00::", 80, "", "", "link-local"},
		{"64:ff9b:1:fffe::169.254.169.254", 80, "", "", "link-local"},
		{"64:ff9b:1:fffe::192.0.2.1", 80, "", "", pass},
		{"64:ff9b:1:c000:2:100::", 80, "", "", pass}, // 192.0.2.1 after 48 bits
		{"2002:a9fe:a9fe::1", 80, "", "", "link-local"},
		{"2001:0:c000:201::5601:5601", 80, "", "", "link-local"}, // Teredo, 169.254.169.254 inverted
		{"fd00::5efe:169.254.169.254", 80, "", "", "link-local"}, // ISATAP
		{"fd00::200:5efe:169.254.169.254", 80, "", "", "link-local"},

		{"127.0.0.1", 2525, "", "", local},
		{"127.9.9.9", 2525, "", "", local},
		{"::1", 2525, "", "", local},
		{"::1%lo", 2525, "", "", local},
		{"::ffff:127.0.0.1", 2525, "", "", local},
		{"64:ff9b::7f00:1", 2525, "", "", local},
		{"2002:7f00:1::", 2525, "", "", local},
		{"127.0.0.1", 2525, "127.0.0.0/8", "", pass},
		{"::ffff:127.0.0.1", 2525, "127.0.0.1", "", pass},
		{"127.0.0.1", 2525, "[::ffff:127.0.0.1]:2525", "", pass},
		{"127.0.0.1", 2525, "127.0.0.1:2525", "", pass},
		{"127.0.0.1", 2526, "127.0.0.1:2525", "", local},
		{"127.0.0.1", 2525, "mail.example.com:2525", "", pass}, // by the name that was looked up
		{"127.0.0.1", 2526, "mail.example.com:2525", "", local},
		{"127.0.0.1", 2525, "other.example.com:2525", "", local},
		{"::1", 2525, "[::1]:2525", "", pass},

		{"10.1.2.3", 25, "", "10.0.0.0/8", "10.0.0.0/8"},
		{"10.1.2.3", 25, "10.1.2.3", "10.0.0.0/8", "10.0.0.0/8"}, // denied wins
		{"::ffff:10.1.2.3", 25, "", "10.0.0.0/8", "10.0.0.0/8"},
		{"64:ff9b::a01:203", 25, "", "10.0.0.0/8", "10.0.0.0/8"},
		{"10.1.2.3", 25, "", "::ffff:10.0.0.0/104", "10.0.0.0/8"},
		{"192.0.2.1", 25, "", "mail.example.com:25", "mail.example.com:25"},
		{"192.0.2.1", 587, "", "mail.example.com:25", pass},
		{"127.0.0.1", 25, "127.0.0.1", "127.0.0.1:25", "127.0.0.1:25"},
	} {
		t.Run(c.address+" "+c.allowed+" "+c.denied, func(t *testing.T) {
			t.Parallel()
			refusal := rules(t, c.allowed, c.denied).Judge("mail.example.com", netip.MustParseAddr(c.address), c.port)
			if (refusal == nil) != (c.want == pass) {
				t.Fatalf("refused: %v", refusal)
			}
			if refusal != nil && !strings.Contains(refusal.Error(), c.want) {
				t.Errorf("%v lacks %q", refusal, c.want)
			}
		})
	}
}

func TestARefusalNamesTheVariable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address, denied   string
		variable, setting string
	}{
		{"127.0.0.1", "", AllowedVariable, "add 127.0.0.1:2525 to it"},
		{"::1", "", AllowedVariable, "add [::1]:2525 to it"},
		{"10.0.0.1", "10.0.0.0/8", DeniedVariable, "take 10.0.0.0/8 out of it"},
		{"169.254.169.254", "", "", ""},
	} {
		r := rules(t, "", c.denied).Judge("mail.example.com", netip.MustParseAddr(c.address), 2525)
		if r == nil || r.Variable != c.variable || r.Setting != c.setting {
			t.Errorf("%s: %+v", c.address, r)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	all, err := ParsePatterns(" 10.0.0.0/8, 10.1.2.3/8:25 127.0.0.1:1025,[::1]:1025\n::1,fd00::/8,[fd00::1],Mail.Example.com:25,bücher.example,localhost:2525 ")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.0/8", "10.0.0.0/8:25", "127.0.0.1:1025", "[::1]:1025", "::1", "fd00::/8", "fd00::1", "mail.example.com:25", "xn--bcher-kva.example", "localhost:2525"}
	if len(all) != len(want) {
		t.Fatalf("%v", all)
	}
	for i, p := range all {
		if p.String() != want[i] {
			t.Errorf("%s, want %s", p, want[i])
		}
	}
	if all, err := ParsePatterns(" , "); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
	for _, wrong := range []string{"10.0.0.0/33", "10.0.0.0/8:0", "mail:99999", "mail:smtp", "https://mail", "a/b", "[::1", "1.2.3.4:25:26", "::ffff:127.0.0.1:2525"} {
		if p, err := ParsePatterns(wrong); err == nil {
			t.Errorf("%q is accepted as %v", wrong, p)
		}
	}
	if _, err := ParseRules("", "a/b"); err == nil {
		t.Error("a wrong denied list is accepted")
	}
}

// Whatever an address looks like, a refused IPv4 address inside it must be found.
func FuzzJudge(f *testing.F) {
	f.Add([]byte{169, 254, 169, 254})
	f.Add([]byte{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 169, 254, 169, 254})
	f.Fuzz(func(t *testing.T, b []byte) {
		addr, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		var r Rules
		if r.Judge("", addr, 25) == nil && (addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified()) {
			t.Fatalf("%s passes", addr)
		}
		if mapped := netip.AddrFrom16(addr.As16()); (r.Judge("", mapped, 25) == nil) != (r.Judge("", addr, 25) == nil) {
			t.Fatalf("%s and %s differ", addr, mapped)
		}
	})
}
