package conformance

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var propertyCases = []testCase{
	{name: "RollupsMatchTheModel", run: rollupsMatchTheModel},
	{name: "FilteredReadsMatchTheModel", run: filteredReadsMatchTheModel},
}

func rollupsMatchTheModel(t *testing.T, db *database) {
	s := db.store(t)
	rapid.Check(t, func(rt *rapid.T) {
		clearTables(t, db)
		m := drawModel(rt, time.Microsecond)
		m.write(rt, s)
		m.checkEveryRollup(rt, s)
	})
}
