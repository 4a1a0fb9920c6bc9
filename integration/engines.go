package integration

// EngineEnv is the environment variable that selects the engine of a test run.
const EngineEnv = "TTPSTORE_TEST_ENGINE"

// VersionPrefix is the prefix of the line in which a test run prints the version of the server.
const VersionPrefix = "integration: server "

// NoImagePrefix is the prefix of the line in which a test run prints that its only image cannot be pulled.
const NoImagePrefix = "integration: no image: "

// NoRight is in the output of a test that skips itself since the user lacks a right on this machine.
const NoRight = "this user lacks a right: "

// Engine is a server that the tests run on. A test run uses one.
type Engine struct {
	// Name is the value of EngineEnv that selects the engine.
	Name string
	// Upstream is an image in a registry, or "".
	Upstream string
	// Build is a script in the folder image with its arguments. It builds an image and prints its name, and is used if
	// Upstream is "" or not available.
	Build []string
	// Keyspaces is the number of keyspaces of a Vitess cluster, which cannot be created by SQL, or 0 for other servers.
	Keyspaces int
	// Except maps skipped tests and cases of the conformance suite to the reason and to what is tested instead.
	Except map[string]string
}

// Engines holds all supported servers.
var Engines = []Engine{
	{Name: "mysql-9.7", Build: []string{"debian.sh", "mysql", "unstable"}},
	{Name: "mysql-8.4", Upstream: "mysql:8.4"},
	{Name: "mariadb-10.11", Build: []string{"debian.sh", "mariadb", "bookworm"}, Except: mariadb},
	{Name: "mariadb-11.8", Upstream: "mariadb:11.8", Build: []string{"debian.sh", "mariadb", "trixie"}, Except: mariadb},
	{Name: "vitess-0.24", Build: []string{"vitess.sh", "v0.24.1"}, Keyspaces: 4, Except: vitess},
}

// mariadb holds the exceptions of MariaDB.
var mariadb = map[string]string{
	"TestADumpIsRestored":      "the image has no program for dumps; instead MySQL's database is dumped and restored",
	"TestFailoverLosesNothing": "MariaDB has no Group Replication; instead MySQL fails over, and TestKilledServerLosesNothing runs",
}

// vitess holds the exceptions of a sharded cluster.
var vitess = map[string]string{
	"ReadsAreKeyedRanges": "vtgate's EXPLAIN takes no parameters and runs on one shard; " +
		"instead TestEveryQueryPlansOnShards checks vtgate's own plans, and the shards are MySQL servers with the same indexes",
	"ForeignTablesAreUnchanged": "information_schema of the keyspace in the URL contains no sharded tables; " +
		"instead the tables of that keyspace are checked",
	"EveryTableIsGuarded": "the same as for ForeignTablesAreUnchanged",
	"InterruptedMigrationsAreCompleted": "the case counts rows by information_schema, which contains no sharded tables; " +
		"instead MySQL runs the same migrations",
	"ACallCancelledDuringItsGroupFailsAlone": "the case cancels at the query that tells duplicates from new rows, which is not " +
		"needed if each shard's statement has only one kind; instead ACallCancelledBeforeItsGroupIsNotWritten runs",
	"ACallCancelledDuringItsOwnTransactionIsNotWritten": "the same as for ACallCancelledDuringItsGroupFailsAlone",
	"GroupCommitIsSharedWithinItsBounds":                "the case counts calls by the same query; instead GroupCommitIsBounded checks the outcomes",
	"ASecondGroupRunsWhileManyTagsWait":                 "on shards, a store executes one group at a time; instead the other cases of groups run",
	"TestPreparedStatementsRunOut":                      "vtgate has no limit of prepared statements; instead it is tested on MySQL",
	"TestADumpIsRestored":                               "vtgate creates no keyspaces by SQL; instead a MySQL server's database is dumped and restored",
	"TestDeadlockIsErrBusy": "no server detects a deadlock between transactions on two shards; " +
		"instead one of them returns ErrBusy after a lock wait timeout, and the store's own calls lock in one order",
	"TestTransactionsBeginImplicitly":            "vtgate does not count its sessions' statements; instead MySQL counts them",
	"TestConflictsLoseNothing":                   "the same as for TestDeadlockIsErrBusy",
	"TestAFailedMigrationLockLeavesNoConnection": "vtgate lists no waits for locks; instead it is tested on MySQL",
	"TestSafeSQLModesAreAccepted":                "vtgate refuses these SQL modes itself; instead they are tested on MySQL",
	"TestTLS":                                    "vtgate has its own TLS options; instead a MySQL server with its own certificate is tested",
	"TestFailoverLosesNothing":                   "vtgate leads writes to a shard's primary; instead a MySQL group fails over",
	"TestKilledServerLosesNothing":               "a Vitess cluster is not restarted; instead its shards' server, MySQL, is killed",
	"TestAReadOnlyServerLosesNothing":            "vtgate has no CREATE USER; instead a MySQL server is made read-only",
	"TestReadsNeedOnlySelect": "vtgate has no CREATE USER, since its users are defined in files; " +
		"instead the same statements are tested on MySQL",
}

// Default is the engine without EngineEnv: the upstream image of MySQL, or Debian's if that is not available.
var Default = Engine{Name: "mysql", Upstream: "mysql:8.4", Build: []string{"debian.sh", "mysql", "unstable"}}
