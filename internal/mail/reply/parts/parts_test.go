package parts

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// tree walks the message and describes what was seen, one part a line.
func tree(t testing.TB, message string) (string, []string) {
	t.Helper()
	type seen struct {
		part *Part
		body *Buffer
	}
	var all []seen
	_, problems, err := Walk(strings.NewReader(message), Limits{}, func(p *Part) io.Writer {
		all = append(all, seen{p, &Buffer{Max: 1 << 20}})
		return all[len(all)-1].body
	})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, s := range all {
		fmt.Fprintf(&out, "%s %q in %q %d/%d %q\n", s.part.Type, s.part.Filename, s.part.Parent, s.part.Group, s.part.Nth, s.body.String())
	}
	return out.String(), problems
}

func TestWalkReadsWhatCanBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, message, want, problem string }{
		{"plain", "Subject: x\r\n\r\nHello\r\n", `text/plain "" in "" 0/0 "Hello"`, ""},
		{"line feeds only", "Subject: x\n\nHello\nyou", `text/plain "" in "" 0/0 "Hello\nyou"`, ""},
		{"empty", "", `text/plain "" in "" 0/0 ""`, ""},
		{"header only", "Subject: x", `text/plain "" in "" 0/0 ""`, ""},
		{"mbox line", "From a@example.com Mon Mar  3 10:00:00 2025\nSubject: x\n\nHello", `text/plain "" in "" 0/0 "Hello"`, ""},
		{"no header", "Hello, no header here\nat all\n", `text/plain "" in "" 0/0 "Hello, no header here\nat all"`, "without fields"},
		{"alternatives", "Content-Type: multipart/alternative; boundary=b\n\npreamble\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n\n--b--\nepilogue\n",
			"text/plain \"\" in \"multipart/alternative\" 1/0 \"one\"\ntext/html \"\" in \"multipart/alternative\" 1/1 \"<p>two\\n\"", ""},
		{"inner end missing", "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\none\n--o\nContent-Type: image/png; name=\"a/b.png\"\nContent-Transfer-Encoding: base64\n\nAAAA\n--o--\n",
			"text/plain \"\" in \"multipart/alternative\" 1/0 \"one\"\nimage/png \"b.png\" in \"multipart/mixed\" 0/1 \"\\x00\\x00\\x00\"", ""},
		{"boundary missing", "Content-Type: multipart/mixed\n\n--x\nContent-Type: text/plain\n\none\n--x--\n", `text/plain "" in "multipart/mixed" 0/0 "one"`, "without boundary"},
		{"boundary wrong", "Content-Type: multipart/mixed; boundary=a\n\n--b\nContent-Type: text/plain\n\none\n--b--\n", `text/plain "" in "multipart/mixed" 0/0 "one"`, "other than"},
		{"no parts", "Content-Type: multipart/mixed; boundary=a\n\n-- \njust text\n", `text/plain "" in "multipart/mixed" 0/0 "-- \njust text\n"`, "without parts"},
		{"part without header", "Content-Type: multipart/mixed; boundary=a\n\n--a\njust text\n--a--\n", `text/plain "" in "multipart/mixed" 0/0 "just text"`, "without fields"},
		{"header then boundary", "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: image/gif\n--a\n\nx\n--a--", "image/gif \"\" in \"multipart/mixed\" 0/0 \"\"\ntext/plain \"\" in \"multipart/mixed\" 0/1 \"x\"", ""},
		{"broken type", "Content-Type: text; charset=\"utf-8\n\nHello", `text/plain "" in "" 0/0 "Hello"`, ""},
		{"digest", "Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: y\n\nx\n--a--", `message/rfc822 "" in "multipart/digest" 0/0 "Subject: y\n\nx"`, ""},
	} {
		got, problems := tree(t, c.message)
		if strings.TrimSpace(got) != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
		if c.problem != "" && !strings.Contains(strings.Join(problems, ";"), c.problem) {
			t.Errorf("%s: problems %q, want %q", c.name, problems, c.problem)
		}
	}
}

func TestTransferEncodingsForgive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ encoding, in, want string }{
		{"base64", "SGVs\r\nbG8=\r\n", "Hello"},
		{"BASE64 ", "SGVsbG8", "Hello"},
		{"base64", "S G*V sbG8=SGk=", "HelloHi"},
		{"base64", "SGVs\n!!!\nbG8=", "Hello"},
		{"quoted-printable", "a=3Db=\r\nc =\n d", "a=bc  d"},
		{"quoted-printable", "100= percent =XY =4", "100= percent =XY =4"},
		{"quoted-printable", "end=", "end"},
		{"8bit", "a=3D", "a=3D"},
		{"x-unknown", "a=3D", "a=3D"},
	} {
		for size := 1; size <= len(c.in); size++ { // pieces of every size
			var out bytes.Buffer
			d := newDecoder(c.encoding, &out)
			for i := 0; i < len(c.in); i += size {
				d.Write([]byte(c.in[i:min(i+size, len(c.in))]))
			}
			d.Close()
			if out.String() != c.want {
				t.Errorf("%s %q in pieces of %d: %q, want %q", c.encoding, c.in, size, out.String(), c.want)
			}
		}
	}
}

func TestDecodeCharsetDoubtsTheLabel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ label, in, want string }{
		{"utf-8", "Aprova\xc3\xa7\xc3\xa3o", "Aprovação"},
		{"utf-8", "Aprova\xe7\xe3o", "Aprovação"},
		{"iso-8859-1", "Aprova\xc3\xa7\xc3\xa3o", "Aprovação"},
		{"iso-8859-1", "\x93Ok\x94", "“Ok”"},
		{"us-ascii", "M\xfcller", "Müller"},
		{"", "M\xfcller", "Müller"},
		{"x-nonsense", "M\xfcller", "Müller"},
		{"iso-2022-jp", "\x1b$B>5G'\x1b(B", "承認"},
		{"us-ascii", "\x1b$B>5G'\x1b(B", "承認"},
		{"utf-16", "Hello", "Hello"},
		{"utf-8", "H\x00i\x00!\x00\n\x00", "Hi!\n"},
		{"utf-16", "\xfe\xff\x00H\x00i", "Hi"},
		{"koi8-r", "\xd0\xd2\xc9\xd7\xc5\xd4", "привет"},
		{"utf-8", "\ufeffa\r\nb\rc\x00", "a\nb\nc"},
		{"utf-8", "cut in a charac\xc3", "cut in a charac\ufffd"},
	} {
		if got := DecodeCharset(c.label, c.in); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.label, c.in, got, c.want)
		}
	}
}

func TestDecodeWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"=?utf-8?q?Solicita=C3=A7=C3=A3o_1?= =?utf-8?Q?_e_2?= fim", "Solicitação 1 e 2 fim"},
		{"=?UTF-8?B?w4Q=?=\t=?UTF-8?B?cGZlbA==?=", "Äpfel"},
		{"=?UTF-8?B?QcO=?= =?UTF-8?B?p0I=?=", "AçB"}, // a character in two words
		{"=?iso-8859-1?Q?M=FCller?= <m@example.com>", "Müller <m@example.com>"},
		{"M\xfcller", "Müller"},
		{"=?utf-8?q?broken", "=?utf-8?q?broken"},
		{"=?utf-8?x?broken?=", "=?utf-8?x?broken?="},
		{"=?utf-8*en?q?ok?=", "ok"},
		{"a =?", "a =?"},
	} {
		if got := DecodeWords(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestAddressesSayWhetherTheyAreExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
		exact    bool
	}{
		{`Ana Prado <ana@example.com>, bob@example.org`, "Ana Prado|ana@example.com bob@example.org", true},
		{`=?iso-8859-1?Q?J=F6rg?= <j@example.de>`, "Jörg|j@example.de", true},
		{"J\xf6rg <j@example.de>", "Jörg|j@example.de", true},
		{`ceo@example.com <evil@example.org>`, "ceo@example.com|evil@example.org", false},
		{`Prado, Ana <ana@example.com`, "Prado Ana <ana@example.com|", false},
		{`<ana@example.com>;`, "ana@example.com", false},
		{``, "", false},
	} {
		list, exact := Addresses(c.in)
		var got []string
		for _, a := range list {
			if a.Name != "" {
				got = append(got, a.Name+"|"+a.Address)
			} else {
				got = append(got, a.Address)
			}
		}
		if strings.Join(got, " ") != c.want || exact != c.exact {
			t.Errorf("%q: %q %v, want %q %v", c.in, got, exact, c.want, c.exact)
		}
	}
}

func TestHeaderLimitsKeepLaterFields(t *testing.T) {
	t.Parallel()
	message := "X-Huge: " + strings.Repeat("x", 100<<10) + "\r\n" + strings.Repeat(" more\r\n", 20000) + "Subject: here\r\n junk\r\nno colon here\r\n folded junk\r\nFrom: a@example.com\r\n\r\nbody"
	h, problems, err := Walk(strings.NewReader(message), Limits{}, nil)
	if err != nil || h.Get("subject") != "here junk" || h.Get("From") != "a@example.com" || len(h.Get("X-Huge")) > 32<<10 {
		t.Fatalf("%v %q %q", err, h.Get("Subject"), h.Get("From"))
	}
	if len(problems) != 1 {
		t.Errorf("problems %q", problems)
	}
}

func TestDepthAndCountAreBounded(t *testing.T) {
	t.Parallel()
	var deep strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	got, _ := tree(t, deep.String()+"\ntext")
	if !strings.HasPrefix(got, "multipart/mixed") {
		t.Errorf("deep: %.200q", got)
	}
	many := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 5000)
	got, problems := tree(t, many)
	if strings.Count(got, "\n") != 500 || len(problems) != 1 {
		t.Errorf("many: %d parts, problems %q", strings.Count(got, "\n"), problems)
	}
}

// endless gives n bytes of base64 lines without holding them.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	const line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n"
	if e.n <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.n)
	for i := range n {
		p[i] = line[i%len(line)]
	}
	e.n -= n
	return n, nil
}

func TestMemoryDoesNotDependOnSize(t *testing.T) {
	head := "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	var size *int64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before) // no other test runs: the parallel ones wait
	_, _, err := Walk(io.MultiReader(strings.NewReader(head), &endless{5 << 20}), Limits{}, func(p *Part) io.Writer { size = &p.Size; return nil })
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	if allocated > 256<<10 || *size < 3<<20 {
		t.Errorf("%d bytes allocated, size %d", allocated, *size)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--"), "utf-8")
	f.Add([]byte("Subject: =?utf-8?q?=C3?= =?utf-8?q?=A7?=\n\nx"), "iso-2022-jp")
	f.Fuzz(func(t *testing.T, message []byte, label string) {
		var bodies []*Buffer
		h, _, err := Walk(bytes.NewReader(message), Limits{}, func(*Part) io.Writer {
			bodies = append(bodies, &Buffer{Max: 4 << 10})
			return bodies[len(bodies)-1]
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bodies {
			DecodeCharset(label, b.String())
		}
		for _, field := range h {
			DecodeWords(field.Value)
			Addresses(field.Value)
		}
	})
}
