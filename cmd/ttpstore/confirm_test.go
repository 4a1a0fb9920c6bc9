package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestConfirm(t *testing.T) {
	no := "not confirmed: nothing was changed"
	for answer, want := range map[string]string{
		"y\n": "", "YES \n": "", "yes\nn\n": "",
		"n\n": no, "\n": no, "": no, "yess\n": no,
		"y": "EOF", // an answer without a newline
	} {
		var cmd cobra.Command
		var stderr bytes.Buffer
		cmd.SetIn(strings.NewReader(answer))
		cmd.SetErr(&stderr)
		err := confirm(t.Context(), &cmd, "Remove all?")
		if got := errorText(err); got != want || stderr.String() != "Remove all? [y/N] " {
			t.Errorf("%q: %q, want %q; asked %q", answer, got, want, stderr.String())
		}
	}
}

func TestConfirmEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var cmd cobra.Command
	cmd.SetIn(neverRead{})
	cmd.SetErr(&bytes.Buffer{})
	if err := confirm(ctx, &cmd, "Remove all?"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// neverRead is a reader that blocks, like a prompt without an answer.
type neverRead struct{}

func (neverRead) Read([]byte) (int, error) { select {} }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
