package builtin_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
)

// BenchmarkOneRelease measures the first use of a release by a program.
func BenchmarkOneRelease(b *testing.B) {
	for _, name := range []string{"enterprise-v8.2", "enterprise-v18.1", "mobile-v18.1", "ics-v18.1"} {
		b.Run(name, func(b *testing.B) {
			compact := stored(b)
			b.ReportAllocs()
			for b.Loop() {
				first(b, compact, name)
			}
		})
	}
}

func BenchmarkMap(b *testing.B) {
	m := remap(b, builtin.Catalogue(), "enterprise-v8.2", "enterprise-v18.1")
	all := pairs(m.Source())
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range all {
			m.Map(p)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/pair")
}

func TestMemoryOfOneRelease(t *testing.T) {
	compact := stored(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	first(t, compact, "enterprise-v18.1")
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 10<<20 {
		t.Errorf("one release takes %d bytes, more than 10 MiB", allocated)
	}
}

func stored(tb testing.TB) []byte {
	tb.Helper()
	compact, err := os.ReadFile("releases.gz")
	if err != nil {
		tb.Fatal(err)
	}
	return compact
}

// first reads the releases and returns one, as at the start of a program.
func first(tb testing.TB, compact []byte, name string) *attack.Release {
	tb.Helper()
	var c attack.Catalogue
	if err := c.UnmarshalBinary(compact); err != nil {
		tb.Fatal(err)
	}
	r, ok := c.Release(name)
	if !ok {
		tb.Fatalf("no release %s", name)
	}
	return r
}
