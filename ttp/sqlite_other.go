//go:build !unix

package ttp

// Without access(2), SQLite returns the error.
func mayRead(string) bool  { return true }
func mayWrite(string) bool { return true }
