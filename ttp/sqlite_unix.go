//go:build unix

package ttp

import "syscall"

// mayRead and mayWrite do not open the file, since closing any descriptor of a file releases SQLite's locks on it.
func mayRead(path string) bool  { return syscall.Access(path, 4) == nil }
func mayWrite(path string) bool { return syscall.Access(path, 2) == nil }
