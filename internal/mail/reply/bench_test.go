package reply

import (
	"bytes"
	"testing"
)

// BenchmarkRead judges the corpus, over and over; huge messages are left out, so that the figure is that of an
// ordinary mailbox.
func BenchmarkRead(b *testing.B) {
	var files []corpusFile
	size := 0
	for _, f := range readCorpus(b) {
		if len(f.raw) < 16<<10 {
			files = append(files, f)
			size += len(f.raw)
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(size / len(files)))
	i := 0
	for b.Loop() {
		if _, err := Read(bytes.NewReader(files[i%len(files)].raw), sender); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
