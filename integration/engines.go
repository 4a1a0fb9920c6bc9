package integration

// EngineEnv names the environment variable that chooses the engine of a test run.
const EngineEnv = "TTPSTORE_TEST_ENGINE"

// VersionPrefix begins the line by which a test run says what the server calls its version.
const VersionPrefix = "integration: server "

// Engine is a kind of server that the tests run on, one a test run.
type Engine struct {
	// Name is what the environment variable EngineEnv holds.
	Name string
	// Upstream is an image in a registry. Empty: none.
	Upstream string
	// Build is a script in the folder image, with its arguments, which builds an image where no registry
	// answers and prints its name. Empty: none.
	Build []string
	// Keyspaces is how many a cluster of Vitess starts with, since none can be made by SQL. 0: no Vitess.
	Keyspaces int
	// Except names the tests, and the cases of the conformance suite, that the engine is excused from, each
	// with the reason and what holds instead.
	Except map[string]string
}

// Engines are all that the store supports, beside SQLite.
var Engines = []Engine{
	{Name: "mysql-9.7", Build: []string{"debian.sh", "mysql", "unstable"}},
	{Name: "mysql-8.4", Upstream: "mysql:8.4"},
	{Name: "mariadb-10.11", Build: []string{"debian.sh", "mariadb", "bookworm"}},
	{Name: "mariadb-11.8", Upstream: "mariadb:11.8", Build: []string{"debian.sh", "mariadb", "trixie"}},
	{Name: "vitess-0.24", Build: []string{"vitess.sh", "v0.24.1"}, Keyspaces: 4, Except: vitess},
}

// vitess is what a cluster of several shards does not keep, or its vtgate does not know.
var vitess = map[string]string{
	"ReadsAreKeyedRanges": "vtgate takes no parameters in EXPLAIN, which it runs on one shard; " +
		"instead TestEveryQueryPlansOnShards asks for vtgate's own plans, and the shards are MySQL servers of the same indexes",
	"ForeignTablesAreLeftAlone": "information_schema of the keyspace that the URL names lists no table of shards; " +
		"instead the tables of that keyspace are guarded",
	"EveryTableOfOursIsGuarded": "as ForeignTablesAreLeftAlone",
	"InterruptedMigrationsAreCompleted": "the case counts rows by information_schema, which lists no table of shards; " +
		"instead its other checks hold, and MySQL runs the same migrations",
	"TestTwoTransactionsThatDeadlockAreToldBusy": "no server sees a deadlock between transactions on two shards; " +
		"instead one is told ErrBusy when its lock times out, and the store's own calls lock in one order",
	"TestOtherCharacterSetsAreRefused": "vtgate answers SET NAMES with success and goes on in utf8mb4; " +
		"instead text is stored as the connection sends it, UTF-8 from the driver",
	"TestReadingNeedsNoRightToWrite": "vtgate parses no CREATE USER, its users are files; " +
		"instead the same statements are tested on MySQL",
}

// Default is the engine of a test run that names none: upstream's MySQL where a registry answers, else Debian's.
var Default = Engine{Name: "mysql", Upstream: "mysql:8.4", Build: []string{"debian.sh", "mysql", "unstable"}}
