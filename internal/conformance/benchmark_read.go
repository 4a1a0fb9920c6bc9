package conformance

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/ttp"
)

// benchmarkSize returns the number of stored tags of the read benchmarks: $TTPSTORE_BENCH_TAGS, or a million.
func benchmarkSize(b *testing.B) int {
	n := 1_000_000
	if text := os.Getenv("TTPSTORE_BENCH_TAGS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1000 {
			b.Fatalf("TTPSTORE_BENCH_TAGS must be a number of at least 1000, not %q", text)
		}
	}
	return n
}

// benchmarkReads fills a store once and measures reads. One in a thousand tags belongs to the identity "steady", with two
// attackers; a third of these tags have the identity themselves. The other attackers belong to 100 identities, the first
// of which has the busiest attacker.
func benchmarkReads(b *testing.B, db *database) {
	size := benchmarkSize(b)
	ctx, s := context.Background(), db.store(b)
	steady := id("steady")
	next := newTagSource()
	chunk := make([]ttp.Tag, 0, 10_000)
	for i := range size {
		tag := next()
		if i%(size/1000) == 0 {
			tag.AttackerUUID = id(fmt.Sprint("steady attacker ", i%2))
			if i%3 == 0 {
				tag.IdentityUUID = steady
			}
		}
		if chunk = append(chunk, tag); len(chunk) == cap(chunk) || i == size-1 {
			insert(b, s, chunk...)
			chunk = chunk[:0]
		}
	}
	attackers := []ttp.Attacker{
		{UUID: id("steady attacker 0"), IdentityUUID: steady}, {UUID: id("steady attacker 1"), IdentityUUID: steady},
	}
	for i := range benchmarkAttackers {
		attackers = append(attackers, ttp.Attacker{UUID: benchmarkAttacker(i), IdentityUUID: id(fmt.Sprint("identity ", i%100))})
	}
	succeed(b, s.UpsertAttackers(ctx, attackers))

	days := func(n float64) time.Time { return at(int(n * 24 * 3600 * 1e6)) }
	onePercent := ttp.Filter{Since: days(benchmarkDays / 2), Until: days(benchmarkDays/2 + benchmarkDays/100.)}
	benchmarkRead(b, "rollup=identity/tags=1000", func() int64 {
		return tagsOf(must[[]ttp.TechniqueRollupRow](b)(s.ListTechniquesByIdentity(ctx, steady)))
	})
	benchmarkRead(b, "rollup=fleet/window=all", func() int64 {
		return tagsOf(must[[]ttp.TechniqueRollupRow](b)(s.ListDistinctTechniques(ctx)))
	})
	named := db.open(b, ttp.WithCatalogue(builtin.Catalogue()))
	for name, options := range map[string][]ttp.RollupOption{"names": nil, "as of": {ttp.AsOf("enterprise-v15.1")}} {
		benchmarkRead(b, "rollup=fleet/window=all/with="+name, func() int64 {
			return tagsOf(must[[]ttp.TechniqueRollupRow](b)(named.ListDistinctTechniques(ctx, options...)))
		})
	}
	benchmarkRead(b, "rollup=fleet/window=1%", func() int64 {
		return tagsOf(must[[]ttp.TechniqueRollupRow](b)(s.ListDistinctTechniques(ctx, ttp.Where(onePercent))))
	})
	for name, scope := range map[string]ttp.Scope{
		"fleet": ttp.Fleet(), "attacker": ttp.OfAttacker(benchmarkAttacker(0)), "identity": ttp.OfIdentity(id("identity 0")),
		"steady": ttp.OfIdentity(steady), "session": ttp.OfSession("session-0000-00"),
	} {
		for place, until := range map[string]time.Time{"newest": {}, "middle": days(benchmarkDays / 2), "oldest": days(benchmarkDays / 5.)} {
			benchmarkRead(b, "page="+name+"/at="+place, func() int64 {
				return int64(len(must[ttp.TagPage](b)(s.ListTags(ctx, scope, ttp.Filter{Until: until}, 100, "")).Tags))
			})
		}
	}
	benchmarkRead(b, "stream=fleet", func() int64 {
		var n int64
		for _, err := range s.TagsSeq(ctx, ttp.Fleet(), ttp.Filter{}) {
			succeed(b, err)
			n++
		}
		return n
	})
}

// benchmarkRead measures a read and reports its number of tags, which must not be 0.
func benchmarkRead(b *testing.B, name string, read func() int64) {
	b.Run(name, func(b *testing.B) {
		var tags int64
		for b.Loop() {
			tags = read()
		}
		if tags == 0 {
			b.Fatal("the read returned no tags")
		}
		b.ReportMetric(float64(tags), "tags")
	})
}

func tagsOf(rows []ttp.TechniqueRollupRow) int64 {
	var n int64
	for _, row := range rows {
		n += row.Count
	}
	return n
}
