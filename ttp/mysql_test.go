package ttp

import (
	"database/sql"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
)

// FuzzMySQLConfig checks that the error of a refused URL contains no part of it, and that an accepted URL has the
// settings that this package relies on and no dangerous one.
func FuzzMySQLConfig(f *testing.F) {
	const secret = "s3cret" // stands for any part of the URL
	for _, dsn := range [][2]string{
		{"root:", "@tcp(h:1)/ttp"}, {"root:", "@h:1/ttp"}, {"tcp(root:", "@h:1)/ttp"},
		{"root:", "@unix(/run/mysql.sock)/ttp?tls=false"},
		{"root:x@tcp(h)/", "?charset=latin1&collation=latin1_bin&loc=Local&sql_mode=''&time_zone='%2B05:00'&parseTime=true"},
		{"root:x@tcp(h)/t?tls=", ""}, {"root:x@tcp(h)/t?serverPubKey=", ""}, {"root:x@tcp(h)/t?timeout=", ""}, {"/", ""},
		{"root:", "@tcp(h)/t?clientFoundRows=true"}, {"root:", "@tcp(h)/t?multiStatements=1"},
		{"root:", "@tcp(h)/t?allowAllFiles=1"},
		{"root:", "@tcp(h)/t?time_zone='Europe/Berlin'"}, {"root:/?@", "/?x@/t?x=a/b"},
		{"root:", "@tcp([::1]:1)/t?innodb_lock_wait_timeout=9&interpolateParams=false&collation=big5_bin"},
	} {
		f.Add(dsn[0], dsn[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		dsn := before + secret + after
		if strings.Contains(dsn, "tls-") {
			return // names files
		}
		config, err := mysqlConfig(dsn)
		if err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q: %v", dsn, err)
			}
			return
		}
		given, err := mysql.ParseDSN(escapeParameters(dsn))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := placeOf(config), placeOf(given); got != want {
			t.Errorf("%q: got %q, want %q", dsn, got, want)
		}
		want := map[string]string{mysqlLockWait: "5"}
		maps.Copy(want, given.Params)
		maps.Copy(want, mysqlSession)
		if diff := cmp.Diff(want, config.Params); diff != "" {
			t.Errorf("%q (-want +got):\n%s", dsn, diff)
		}
		if !config.InterpolateParams || config.Loc != time.UTC || config.Collation != "utf8mb4_bin" ||
			config.ClientFoundRows || config.MultiStatements || config.AllowAllFiles {
			t.Errorf("%q: got %+v", dsn, config)
		}
		if _, err := mysql.NewConnector(config); err != nil {
			t.Errorf("%q: %v", dsn, err)
		}
	})
}

func TestPathsInMySQLParametersNeedNoEscapes(t *testing.T) {
	const parameters = "?loc=Europe/Berlin&sql_notes='/a/b'"
	for _, password := range []string{"", "/", "?", "@", "a/?x=/@b", "a@/b?c/d", "a@tcp(h:2)/b?c/d", "a)/b?c", "(/"} {
		for _, place := range []struct{ text, net, addr string }{
			{"tcp(h:1)", "tcp", "h:1"}, {"tcp([::1]:1)", "tcp", "[::1]:1"}, {"unix(/run/a?b/mysql.sock)", "unix", "/run/a?b/mysql.sock"},
			{"tcp", "tcp", "127.0.0.1:3306"}, {"", "tcp", "127.0.0.1:3306"},
		} {
			dsn := "root:" + password + "@" + place.text + "/ttp" + parameters
			config, err := mysqlConfig(dsn)
			if err != nil {
				t.Errorf("%q: %v", dsn, err)
				continue
			}
			if got, want := placeOf(config), [5]string{"root", password, place.net, place.addr, "ttp"}; got != want {
				t.Errorf("%q: got %q, want %q", dsn, got, want)
			}
			if got := config.Params["sql_notes"]; got != "'/a/b'" {
				t.Errorf("%q: got the parameter %q", dsn, got)
			}
		}
	}
}

func TestUnescapedPathOfACertificateIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	_, err := mysqlConfig("root:s3/c?r@t@tcp(h:1)/ttp?tls-ca=" + path)
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), "open "+path+": no such file or directory") {
		t.Errorf("got %v, want that %s does not exist", err, path)
	}
}

// placeOf returns the user, password, network, address and database.
func placeOf(c *mysql.Config) [5]string { return [5]string{c.User, c.Passwd, c.Net, c.Addr, c.DBName} }

func TestMySQLPoolSizeIsSplit(t *testing.T) {
	for connections, want := range map[int][2]int{1: {1, 1}, 2: {1, 1}, 3: {1, 2}, 32: {16, 16}} {
		write, read := sql.OpenDB(implicitBegin{}), sql.OpenDB(readCommitted{})
		setMySQLPoolSize(write, read, connections)
		if got := [2]int{write.Stats().MaxOpenConnections, read.Stats().MaxOpenConnections}; got != want {
			t.Errorf("%d connections: got %v that write and read, want %v", connections, got, want)
		}
		if err := errors.Join(write.Close(), read.Close()); err != nil {
			t.Error(err)
		}
	}
}
