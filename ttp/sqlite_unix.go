//go:build unix

package ttp

import "syscall"

// mayRead and mayWrite ask without opening the file: SQLite's locks of a file end when its process closes any
// descriptor of it.
func mayRead(path string) bool  { return syscall.Access(path, 4) == nil }
func mayWrite(path string) bool { return syscall.Access(path, 2) == nil }
