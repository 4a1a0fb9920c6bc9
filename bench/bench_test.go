package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

// TestShort checks that everything runs, not how fast.
func TestShort(t *testing.T) {
	for _, engine := range []string{sqliteEngine, mysqlEngine} {
		t.Run(engine, func(t *testing.T) {
			if engine == mysqlEngine && os.Getenv(dsnEnv) == "" {
				t.Skip(dsnEnv + " names no server; go run . -short starts one")
			}
			var out strings.Builder
			if err := run(context.Background(), []string{"-short", "-engines", engine, "-dir", t.TempDir()}, &out); err != nil {
				t.Fatal(err)
			}
			for _, job := range []string{freshInsert, replay, halfInsert, filledInsert, manyWriters, rollupOf + "fleet", deepPage, exportAll} {
				if !strings.Contains(out.String(), "| "+job+" |") {
					t.Errorf("the report has no %q:\n%s", job, out.String())
				}
			}
		})
	}
}
