// Package integration tests the store against real servers.
//
// It is a separate module, so that users of the store do not inherit its Docker dependencies. A test run uses one server:
// that of the DSN in TTPSTORE_TEST_MYSQL_DSN, or else a temporary container of the engine in TTPSTORE_TEST_ENGINE, by
// default MySQL. The command testengines runs the tests on all Engines.
package integration
