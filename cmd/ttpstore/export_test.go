package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExport(t *testing.T) {
	c := filled(t)
	dir := t.TempDir()
	stdout := c.runWith("", "export", "-")
	note := "exported 1 campaign, 1 identity, 1 attacker, 4 tags\n"
	if stdout.status != exitSuccess || stdout.stderr != note || strings.Count(stdout.stdout, "\n") != 7 || !strings.HasPrefix(stdout.stdout, scopes) {
		t.Fatalf("%+v", stdout)
	}
	plain, zipped := filepath.Join(dir, "plain.jsonl"), filepath.Join(dir, "zipped.jsonl.gz")
	c.want(result{exitSuccess, "", note}, "", "export", plain)
	c.want(result{exitSuccess, `{"campaigns":1,"identities":1,"attackers":1,"tags":4}` + "\n", ""}, "", "export", "-o=jsonl", zipped)
	if read(t, plain) != stdout.stdout {
		t.Error("the exported file differs from standard output")
	}
	if content := read(t, zipped); !strings.HasPrefix(content, "\x1f\x8b") {
		t.Errorf("not compressed: %q", content)
	}
	other := newCLI(t)
	if got := other.runWith("", "import", zipped); got.status != exitSuccess {
		t.Fatal(got)
	}
	if got := other.runWith("", "export", "-"); got != stdout {
		t.Errorf("importing the export and exporting again gives a different file: %+v", got)
	}
}

func TestExportLeavesNoPartialFile(t *testing.T) {
	c := filled(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "out.jsonl")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.jsonl")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"--db", "sqlite://" + c.db, "export", file}, nil, &stdout, &stderr); status != exitFailure {
		t.Error(status)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 || read(t, file) != "old" {
		t.Error("a failed export changed the folder", files)
	}
	if got := c.runWith("", "export", link); got.status != exitSuccess {
		t.Error(got)
	}
	if target, err := os.Readlink(link); err != nil || target != file || read(t, file) == "old" {
		t.Error("the link's target was not written", target, err)
	}
	if got := c.runWith("", "export", os.DevNull); got.status != exitSuccess {
		t.Error(got)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatal("a device was replaced by a file", err)
	}
	if got := c.runWith("", "export", dir); got.status != exitFailure || got.stderr != "ttpstore: "+dir+" is a directory\n" {
		t.Error(got)
	}
}

func TestExportKeepsTheMode(t *testing.T) {
	c := filled(t)
	for _, mode := range []os.FileMode{0, 0o600, 0o640, 0o666} {
		file := filepath.Join(t.TempDir(), "out.jsonl")
		if mode != 0 {
			if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chmod(file, mode)); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.runWith("", "export", file); got.status != exitSuccess {
			t.Fatal(got)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if want := cmp.Or(mode, 0o600); info.Mode() != want || info.Size() == 0 {
			t.Errorf("a file of mode %v has now %v and %d bytes", mode, info.Mode(), info.Size())
		}
	}
}
