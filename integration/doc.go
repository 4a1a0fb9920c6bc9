// Package integration tests the store against a real MySQL server.
//
// It is a module of its own, so that nobody who uses the store inherits the
// dependencies of its Docker tooling. The server is the one that
// TTPSTORE_TEST_MYSQL_DSN names, or else a container that lives as long as the
// test run.
package integration
