package proxy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The proxy is measured in a process of its own: only so does the kernel tell its processor time and memory
// apart from those of the load. The small servers have one too, so that they disturb neither.

// partEnv names the part that the test binary plays when it is started again.
const partEnv = "ORBIT_BENCH_PART"

// The init plays the part in place of the tests. It is no TestMain, because that would have to suit all tests of the folder.
func init() {
	switch os.Getenv(partEnv) {
	case "":
		return
	case "proxy":
		play(serveProxy)
	case "upstream":
		play(serveUpstream)
	}
	os.Exit(0)
}

// play is the life of a part: its first line of input says what to serve, its only line of output where.
// It ends with its input, so it outlives no test, however that ends.
func play[Plan, Place any](serve func(Plan) (Place, error)) {
	var plan Plan
	in := json.NewDecoder(os.Stdin)
	err := in.Decode(&plan)
	if err == nil {
		var place Place
		if place, err = serve(plan); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(place)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// part is a process that plays one; the zero part is none, and uses nothing.
type part struct{ pid int }

// startPart starts one and waits until it serves.
func startPart[Place any](t *testing.T, name string, plan any) (part, Place) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), partEnv+"="+name)
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	check(t, json.NewEncoder(in).Encode(plan))
	var place Place
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&place); err != nil {
		t.Fatalf("start the %s: %v", name, err)
	}
	return part{cmd.Process.Pid}, place
}

// cpu is the processor time used so far, to 10 ms, which is what the kernel tells of others.
func (p part) cpu() time.Duration {
	stat := p.file("stat")
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the name before may hold anything
	const user, system = 11, 12                                     // proc(5) numbers them 14 and 15
	if len(fields) <= system {
		return 0
	}
	var ticks int
	for _, field := range fields[user : system+1] {
		n, _ := strconv.Atoi(string(field))
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory is what the part has in memory, in kB.
func (p part) memory() int {
	for line := range strings.Lines(string(p.file("status"))) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n
		}
	}
	return 0
}

// peak watches the memory for a while and returns the most.
func (p part) peak(hold time.Duration) int {
	over := time.After(hold)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for most := p.memory(); ; most = max(most, p.memory()) {
		select {
		case <-tick.C:
		case <-over:
			return max(most, p.memory())
		}
	}
}

func (p part) file(name string) []byte {
	if p.pid == 0 {
		return nil
	}
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.pid, name))
	return content
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
