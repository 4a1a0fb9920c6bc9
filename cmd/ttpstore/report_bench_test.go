package main

import (
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/report"
	"github.com/decnet/ttpstore/ttp"
)

// BenchmarkReport measures the report of a honeypot over 35 days.
func BenchmarkReport(b *testing.B) {
	const path = "../../../shared/data/cowrie-2018-tags.jsonl.gz"
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		b.Skipf("%s is missing: put the honeypot records there to run this benchmark", path)
	}
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	check(err)
	defer func() { _ = f.Close() }()
	records, err := gzip.NewReader(f)
	check(err)
	store, err := ttp.Open(b.Context(), "sqlite://"+b.TempDir()+"/ttp.db", ttp.WithCatalogue(builtin.Catalogue()))
	check(err)
	defer func() { check(store.Close()) }()
	check(store.Migrate(b.Context()))
	_, err = store.Import(b.Context(), records, ttp.ImportOptions{})
	check(err)
	for b.Loop() {
		page, err := readPage(b.Context(), store, ttp.Fleet(), ttp.Filter{}, "enterprise-v17.1")
		check(err)
		check(report.Write(io.Discard, page))
	}
}
