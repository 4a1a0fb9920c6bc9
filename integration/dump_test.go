package integration

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/decnet/ttpstore/ttp"
	"github.com/decnet/ttpstore/ttptest"
)

// TestADumpIsRestored runs the commands of docs/operations.md in the server's container.
func TestADumpIsRestored(t *testing.T) {
	if os.Getenv(dsnEnv) != "" {
		t.Skipf("%s is set, and this test runs mysqldump in a container: unset it and start Docker to run this test", dsnEnv)
	}
	config, err := mysql.ParseDSN(newDatabase(t))
	succeed(t, err)
	s := openStore(t, "mysql://"+config.FormatDSN())
	succeed(t, s.Migrate(t.Context()))
	tags := ttptest.Tags(1, 500)
	_, err = s.InsertTags(t.Context(), tags)
	succeed(t, err)
	succeed(t, s.UpsertAttackers(t.Context(), []ttp.Attacker{{UUID: tags[0].AttackerUUID}}))
	_, err = s.PurgeSession(t.Context(), tags[0].SessionID, ttp.WithTombstone(""))
	succeed(t, err)

	restored := config.Clone()
	restored.DBName += "_restored"
	t.Cleanup(func() { succeed(t, execute(server, "DROP DATABASE IF EXISTS `"+restored.DBName+"`")) })
	runDocumented(t, config, restored.DBName)
	r := openStore(t, "mysql://"+restored.FormatDSN())
	var want, got bytes.Buffer
	_, err = s.Export(t.Context(), &want, ttp.Filter{}, nil)
	succeed(t, err)
	_, err = r.Export(t.Context(), &got, ttp.Filter{}, nil)
	succeed(t, err)
	if want.Len() == 0 || got.String() != want.String() {
		t.Errorf("the restored database has %d bytes of records, want %d", got.Len(), want.Len())
	}
	for finding, err := range r.Verify(t.Context(), ttp.VerifyOptions{}) {
		succeed(t, err)
		if finding.Kind != ttp.Dangling { // the tags' other scopes are not stored
			t.Errorf("found %+v", finding)
		}
	}
	again, err := r.InsertTags(t.Context(), tags[:1])
	succeed(t, err)
	if again.Count(ttp.Tombstoned) != 1 {
		t.Errorf("a removed tag is %v in the restored database", again.Outcomes)
	}
}

// runDocumented dumps a database and restores it under another name.
func runDocumented(t *testing.T, config *mysql.Config, restored string) {
	t.Helper()
	document, err := os.ReadFile("../docs/operations.md")
	succeed(t, err)
	_, commands, _ := strings.Cut(string(document), "```\nmysqldump ")
	commands, _, found := strings.Cut("mysqldump "+commands, "ttpstore ")
	if !found {
		t.Fatal("docs/operations.md does not show how to dump a database")
	}
	script := `set -e
cd "$(mktemp -d)"
export MYSQL_PWD=` + config.Passwd + `
mysql() { command mysql -h127.0.0.1 -uroot "$@"; }
mysqldump() { command mysqldump -h127.0.0.1 -uroot "$@"; }
` + strings.NewReplacer("ttp2", restored, " ttp ", " "+config.DBName+" ").Replace(commands)
	if _, err := execIn(config.Addr, "sh", "-c", script); err != nil {
		t.Fatalf("%sfailed: %v", commands, err)
	}
}
