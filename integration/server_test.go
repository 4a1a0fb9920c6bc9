package integration

import (
	"database/sql"
	"strings"
	"testing"
)

// Other tests depend on isolated databases and the strict mode of the server.
func TestServer(t *testing.T) {
	t.Parallel()
	first, second := openDatabase(t), openDatabase(t)

	if _, err := first.ExecContext(t.Context(), "CREATE TABLE probe (id INT PRIMARY KEY)"); err != nil {
		t.Fatalf("create a table: %v", err)
	}
	if got := countTables(t, first); got != 1 {
		t.Errorf("the first database has %d tables, want 1", got)
	}
	if got := countTables(t, second); got != 0 {
		t.Errorf("the second database has %d tables, want 0: the two are not isolated", got)
	}

	var charset, mode string
	row := first.QueryRowContext(t.Context(), "SELECT @@character_set_database, @@sql_mode")
	if err := row.Scan(&charset, &mode); err != nil {
		t.Fatalf("read the settings: %v", err)
	}
	if charset != "utf8mb4" {
		t.Errorf("character set of the database = %q, want utf8mb4", charset)
	}
	if !strings.Contains(mode, "STRICT_TRANS_TABLES") {
		t.Errorf("sql_mode = %q, want it to contain STRICT_TRANS_TABLES", mode)
	}
}

// openDatabase opens a new database until the end of the test.
func openDatabase(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("mysql", newDatabase(tb))
	if err != nil {
		tb.Fatalf("open the new database: %v", err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close the database: %v", err)
		}
	})
	return db
}

// countTables returns the number of tables in the current database.
func countTables(tb testing.TB, db *sql.DB) (count int) {
	tb.Helper()
	row := db.QueryRowContext(tb.Context(), "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()")
	if err := row.Scan(&count); err != nil {
		tb.Fatalf("count the tables: %v", err)
	}
	return count
}
