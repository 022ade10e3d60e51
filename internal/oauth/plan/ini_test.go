package plan

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

// asMaps is what a parser is compared by.
func asMaps(sections []section) map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, s := range sections {
		all[s.name] = map[string]string{}
		for _, i := range s.items {
			all[s.name][i.key] = i.value
		}
	}
	return all
}

func TestINI(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		want  map[string]map[string]string
		wrong int
	}{
		"both delimiters":      {"[a]\nx = 1\ny: 2\nz=a=b:c\n", map[string]map[string]string{"a": {"x": "1", "y": "2", "z": "a=b:c"}}, 0},
		"keys in any case":     {"[A]\nKey = V\n", map[string]map[string]string{"A": {"key": "V"}}, 0},
		"comments":             {"# c\n[a]\n; c\nx = 1 # stays\n  # c\n", map[string]map[string]string{"a": {"x": "1 # stays"}}, 0},
		"continued":            {"[a]\nx = 1\n  2\n\n  3\ny = 4\n", map[string]map[string]string{"a": {"x": "1\n2\n\n3", "y": "4"}}, 0},
		"blank value":          {"[a]\nx =\n", map[string]map[string]string{"a": {"x": ""}}, 0},
		"no interpolation":     {"[a]\nx = %(y)s %%\n", map[string]map[string]string{"a": {"x": "%(y)s %%"}}, 0},
		"byte order mark":      {"\uFEFF[a]\r\nx = 1\r\n", map[string]map[string]string{"a": {"x": "1"}}, 0},
		"defaults":             {"[DEFAULT]\nx = 1\ny = 2\n[a]\nx = 3\n", map[string]map[string]string{"a": {"x": "3", "y": "2"}}, 0},
		"markdown is no title": {"[a]\nx = 1\ntoken_url = [](\n", map[string]map[string]string{"a": {"x": "1", "token_url": "[]("}}, 0},
		"section twice":        {"[a]\nx = 1\n[a]\ny = 2\n", nil, 1},
		"key twice":            {"[a]\nx = 1\nx = 2\n", nil, 1},
		"neither nor":          {"[a]\nnonsense\n", nil, 1},
		"no key":               {"[a]\n= 1\n", nil, 1},
	} {
		sections, wrong := parseINI(c.text)
		if len(wrong) != c.wrong {
			t.Errorf("%s: %v", name, wrong)
		}
		if got := asMaps(sections); c.want != nil && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if _, wrong := parseINI(strings.Repeat("x", maxConfig+1)); len(wrong) != 1 {
		t.Error("no limit")
	}
}

// pythonReads is what ConfigParser makes of a file, as email-oauth2-proxy uses it.
func pythonReads(t *testing.T, text string) map[string]map[string]string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is missing: install it with `apt-get install python3`")
	}
	cmd := exec.Command(python, "-c", `
import configparser, json, sys
c = configparser.ConfigParser(interpolation=None)
c.read_string(sys.stdin.read())
print(json.dumps({s: dict(c[s]) for s in c.sections()}))`)
	cmd.Stdin = strings.NewReader(text)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, errors.String())
	}
	var read map[string]map[string]string
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestPythonReadsTheSame(t *testing.T) {
	t.Parallel()
	full, err := os.ReadFile("testdata/full.config")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(full), "[a]\nx = 1\n  2\n\n  3\n\ny: 4\n [b]\nz = 5\n", "[DEFAULT]\nq = 1\n[a]\nX = # 1\n"} {
		sections, wrong := parseINI(text)
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		if ours, theirs := asMaps(sections), pythonReads(t, text); !reflect.DeepEqual(ours, theirs) {
			t.Errorf("%q:\nours   %q\npython %q", text, ours, theirs)
		}
	}
}

func TestExportIsReadByPythonAndImportedAgain(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/full.config")
	if err != nil {
		t.Fatal(err)
	}
	before := Import(string(text), Options{})
	exported, _ := Export(before.Registrations, before.Listeners, redirectURI)
	read := pythonReads(t, exported)
	if read["SMTP-1587"]["server_starttls"] != "True" || read["person@example.com"]["client_secret"] != "secret-1" ||
		read["device@example.com"]["permission_url"] != "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode" {
		t.Errorf("python reads %q", read)
	}
	after := Import(exported, Options{})
	if len(after.Problems) > 0 || !reflect.DeepEqual(after.Listeners, before.Listeners) || len(after.Registrations) != len(before.Registrations) {
		t.Fatalf("imported again:\n%s", show(after))
	}
	for i := range after.Registrations {
		if after.Registrations[i].Settings != before.Registrations[i].Settings {
			t.Errorf("%+v\nbecame %+v", before.Registrations[i].Settings, after.Registrations[i].Settings)
		}
	}
}

func TestExportWithoutSecretsSaysSo(t *testing.T) {
	t.Parallel()
	p := Import(account, Options{})
	p.Registrations[0].Secret = secretOf("")
	exported, notes := Export(p.Registrations, p.Listeners, redirectURI)
	if strings.Contains(exported, "client_secret =") || len(notes) != 1 || !strings.Contains(exported, "# [@] client_secret: Not exported") {
		t.Errorf("%s\n%v", exported, notes)
	}
}

func FuzzImport(f *testing.F) {
	f.Add(account)
	for _, file := range []string{"testdata/example.config", "testdata/example-as-printed.config", "testdata/full.config"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("orbit email-oauth2-proxy register --imap-server-port=993 \\ \\\n --oauth2-scope=\" x\"")
	f.Add("x\n y\n[\n]\n[]\n=\n:")
	f.Fuzz(func(t *testing.T, text string) {
		Parse(text, Options{RedirectURI: redirectURI})
		sections, wrong := parseINI(text)
		if len(wrong) > 0 || len(sections) > 0 && sections[0].name == "" {
			return
		}
		again, wrong := parseINI(writeINI(sections))
		if len(wrong) > 0 || !reflect.DeepEqual(asMaps(again), asMaps(sections)) {
			t.Errorf("%q written and read again: %v\n%q\n%q", text, wrong, asMaps(sections), asMaps(again))
		}
	})
}

func TestHostileFilesAreReadInNoTime(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		strings.Repeat("a=\n", maxLines), strings.Repeat("[a]\n", maxLines), strings.Repeat("[@x]\na=b\n", maxLines/2), strings.Repeat("\n \n", maxLines/2),
		strings.Repeat("x", maxConfig), strings.Repeat("register \\", maxConfig/10), "[a]\nb = c" + strings.Repeat("\n d", maxLines-2),
	} {
		if p := Parse(text, Options{}); len(p.Problems) > 4*maxLines {
			t.Errorf("%d problems with %.10q", len(p.Problems), text)
		}
	}
}
