// Package integration tests the store against real servers.
//
// It is a module of its own, so that nobody who uses the store inherits the
// dependencies of its Docker tooling. A test run is against one server: the one
// that TTPSTORE_TEST_MYSQL_DSN names, or else a container, which lives as long
// as the run, of the engine that TTPSTORE_TEST_ENGINE names, by default MySQL.
// The command testengines runs the tests on each of the Engines.
package integration
