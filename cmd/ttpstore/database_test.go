package main

import (
	"bytes"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadingCreatesNoFile(t *testing.T) {
	c := newCLI(t)
	url := "sqlite://" + c.db
	noFile := "ttpstore: the database " + url + " does not exist: check --db or $TTPSTORE_DB, " +
		"or create it with `ttpstore --db " + url + " import FILE`\n"
	noSchema := "schema missing: run `ttpstore --db " + url + " migrate up`\n"
	out := filepath.Join(filepath.Dir(c.db), "out.jsonl")
	for _, args := range [][]string{
		{"rollup", "fleet"}, {"rollup", "session", "s1"}, {"rollup", "campaign", campaignID},
		{"export", "-"}, {"export", out}, {"import", "--dry-run", "-"},
		{"tags", "fleet"}, {"tags", "fleet", "--all"}, {"tags", "session", "s1", "--oldest-first"}, {"tags", "fleet", "--count"},
		{"tag", attackerID}, {"timeline", "fleet"}, {"who", "session"}, {"new", "fleet", "--since", "7d"}, {"compare", "fleet", "fleet"},
		{"rules"}, {"phases", identityID}, {"rollup", "attackers"}, {"rollup", "identities"}, {"verify"}, {"verify", "--repair", "--yes"},
		{"scope", "show", "attacker", attackerID}, {"scope", "list", "campaigns"}, {"scope", "list", "identities", "--json"},
		{"scope", "list", "attackers", "--limit=0"}, {"tombstone", "list"}, {"purge", "session", "s1", "--dry-run"},
		{"purge", "attacker", attackerID, "--yes"}, {"rollback", "rule", "R1", "--yes", "--tombstone"}, {"retention", "--keep=1d", "--yes"},
	} {
		want := noFile
		if args[0] == "import" {
			want = "ttpstore: check schema: " + noSchema
		}
		c.want(result{exitFailure, "", want}, records(), args...)
		c.wantNoFile()
	}
	got := c.runWith("", "migrate", "status")
	if got.status != exitSuccess || got.stderr != "" || !strings.HasPrefix(got.stdout, "version\t0\n") ||
		!strings.HasSuffix(got.stdout, "\ndirty\tfalse\nstate\t"+noSchema) {
		t.Errorf("status: %+v", got)
	}
	c.wantNoFile()
}

func TestFailure(t *testing.T) {
	c := newCLI(t)
	c.want(result{exitFailure, "", "ttpstore: open nofile: no such file or directory\n"}, "", "import", "nofile")
	c.wantNoFile()
	for _, url := range []string{"foo", "postgres://u:secret@h/d", "mysql://u:secret@tcp(127.0.0.1:1)/d", "mysql://u:secret", "mysql://u:secret@tcp(127.0.0.1:1)/d?clientFoundRows=true"} {
		t.Setenv(dbEnvironment, url)
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"rollup", "fleet"}, nil, &stdout, &stderr)
		if status != exitFailure || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "ttpstore: open: ") ||
			strings.Count(stderr.String(), "\n") != 1 || strings.Contains(stderr.String(), "secret") {
			t.Errorf("%s: %d %q %q", url, status, stdout.String(), stderr.String())
		}
		// Help must not print the password either.
		if got := c.runWith("", "--help"); strings.Contains(strings.ReplaceAll(got.stdout, "ttp:secret", ""), "secret") {
			t.Error(got.stdout)
		}
	}
}

// The MySQL driver logs to the standard error of the process, so the test needs one.
func TestDriverWritesNothing(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	cmd := exec.CommandContext(t.Context(), program(t), "--db", "mysql://u:secret@tcp("+server.Addr().String()+")/d", "rollup", "fleet")
	out, _ := cmd.CombinedOutput()
	if !strings.HasPrefix(string(out), "ttpstore: open: ") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("got %s", out)
	}
}

// Without --db, the suggested command would use the default database.
func TestAdviceNamesTheDatabase(t *testing.T) {
	c := newCLI(t)
	t.Chdir(t.TempDir())
	missing := func(url string) string {
		return "ttpstore: the database " + url + " does not exist: check --db or $TTPSTORE_DB, or create it with `ttpstore "
	}
	for _, test := range []struct {
		env, want string
		args      []string
	}{
		{"", missing(defaultDB) + "import FILE`\n", nil},
		{"sqlite://a.db", missing("sqlite://a.db") + "import FILE`\n", nil},
		{"sqlite://a.db", missing("sqlite://b.db") + "--db sqlite://b.db import FILE`\n", []string{"--db=sqlite://b.db"}},
		{"", missing("sqlite://a b.db") + "--db ... import FILE`\n", []string{"--db=sqlite://a b.db"}},
		{"", "ttpstore: rollup fleet: schema missing: run `ttpstore --db sqlite://:memory: migrate up`\n", []string{"--db=sqlite://:memory:"}},
	} {
		t.Setenv(dbEnvironment, test.env)
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), append(test.args, "rollup", "fleet"), nil, &stdout, &stderr)
		if status != exitFailure || stderr.String() != test.want {
			t.Errorf("%q: %d, %q", test.args, status, stderr.String())
		}
	}
	c.wantNoFile()
}

func TestDatabaseOfTheEnvironment(t *testing.T) {
	c := filled(t)
	t.Setenv(dbEnvironment, "sqlite://"+c.db)
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"export", "-"}, nil, &stdout, &stderr); status != exitSuccess || stdout.Len() == 0 {
		t.Error(status, stderr.String())
	}
}
