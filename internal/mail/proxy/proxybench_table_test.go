package proxy_test

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one promise beside what was measured.
type row struct {
	test, direct, proxied, measured, promise string
	judged                                   bool // a glance judges only what is no matter of speed
	kept                                     bool
}

// rows compares the medians of the rounds with the promises.
func (b *bench) rows() []row {
	direct := func(of func(figures) float64) float64 { return medianOf(b.directly, of) }
	proxied := func(of func(figures) float64) float64 { return medianOf(b.proxiedly, of) }
	ratio := func(test, unit string, least float64, of func(figures) float64) row {
		share := proxied(of) / direct(of)
		return row{
			test: test, direct: fmt.Sprintf("%.0f%s", direct(of), unit), proxied: fmt.Sprintf("%.0f%s", proxied(of), unit),
			measured: fmt.Sprintf("%.0f %%", share*100), promise: fmt.Sprintf("at least %.0f %%", least*100), kept: share >= least,
		}
	}
	added := func(test string, most float64, of func(figures) float64) row {
		extra := proxied(of) - direct(of)
		return row{
			test: test, direct: fmt.Sprintf("%.0f µs", direct(of)), proxied: fmt.Sprintf("%.0f µs", proxied(of)),
			measured: fmt.Sprintf("%+.0f µs", extra), promise: fmt.Sprintf("at most +%.0f µs", most), kept: extra <= most,
		}
	}
	cost := func(test string, under float64, of func(figures) float64) row {
		return row{test: test, proxied: fmt.Sprintf("%.2f ms", proxied(of)), promise: fmt.Sprintf("under %.1f ms", under), kept: proxied(of) < under}
	}
	rows := []row{
		ratio("IMAP logins, 4 at a time", "/s", 0.80, func(f figures) float64 { return f.logins }),
		cost("  CPU for each", 2, func(f figures) float64 { return f.loginCPU }),
		b.burstRow(),
		ratio("SMTP messages, 20 connections", "/s", 0.55, func(f figures) float64 { return f.messages }),
		ratio(fmt.Sprintf("FETCH of %d MB", b.mails*mailSize/1e6), " MB/s", 0.90, func(f figures) float64 { return f.megabytes }),
		cost("  CPU for each MB", 1.5, func(f figures) float64 { return f.megabyteCPU }),
		added("NOOP p50", 60, func(f figures) float64 { return f.typical }),
		added("NOOP p99", 200, func(f figures) float64 { return f.slow }),
		b.idleRow(),
		{test: "  memory for each", proxied: fmt.Sprintf("%.1f kB", b.still.perIdle), promise: "at most 40 kB", kept: b.still.perIdle <= 40},
		b.stallRow(),
		{test: "  memory", proxied: fmt.Sprintf("%+d kB", b.still.stallSize), promise: "under +1024 kB", kept: b.still.stallSize < 1024},
	}
	for i := range rows {
		rows[i].judged = rows[i].judged || b.full
	}
	return rows
}

// burstRow adds the rounds up: one failure is one too many.
func (b *bench) burstRow() row {
	var direct, proxied float64
	for i := range b.proxiedly {
		direct += b.directly[i].failed
		proxied += b.proxiedly[i].failed
	}
	return row{
		test: fmt.Sprintf("Burst of %d connects, %d times", b.burst, b.rounds), direct: fmt.Sprintf("%.0f failed", direct),
		proxied: fmt.Sprintf("%.0f failed", proxied), promise: "none fails", kept: proxied == 0, judged: true,
	}
}

func (b *bench) idleRow() row {
	return row{
		test: fmt.Sprintf("Idle sessions of %d", b.idle), proxied: fmt.Sprintf("%d held", b.still.held),
		promise: "all", kept: b.still.held == b.idle, judged: true,
	}
}

// nothing is how much processor time counts as none: what it takes to fill the buffers of the kernel once.
const nothing = 50 * time.Millisecond

func (b *bench) stallRow() row {
	return row{
		test: fmt.Sprintf("Stalled reader, CPU in %v", b.hold), proxied: fmt.Sprintf("%d ms", b.still.stallCPU.Milliseconds()),
		promise: fmt.Sprintf("none (under %v)", nothing), kept: b.still.stallCPU < nothing,
	}
}

func medianOf(rounds []figures, of func(figures) float64) float64 {
	values := make([]float64, len(rounds))
	for i, f := range rounds {
		values[i] = of(f)
	}
	return median(values)
}

// table is for people.
func table(rows []row) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "test\tdirect\tproxied\tratio or added\tpromised\tkept")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.test, r.direct, r.proxied, r.measured, r.promise, r.verdict())
	}
	_ = w.Flush()
	return text.String()
}

func (r row) verdict() string {
	switch {
	case !r.judged:
		return "-"
	case r.kept:
		return "yes"
	}
	return "no"
}
