package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newExportCommand() *cobra.Command {
	var out *output
	var filter *filterFlags
	cmd := &cobra.Command{
		Use:   "export FILE|-",
		Short: "Export the store as JSON Lines",
		Long: `Write all campaigns, identities, attackers and tags to a file, or to standard
output for -, in the JSON Lines format of "ttpstore import". A file with a name
ending in .gz is compressed. The same rows give the same bytes on every engine.

The filter flags select tags; campaigns, identities and attackers are always
exported. The output flags format the counts of exported rows.

The file is replaced atomically: after a failure the previous file is unchanged.
A replaced file keeps its mode; a new file is readable by its owner only.`,
		Example: `  ttpstore export backup.jsonl.gz
  ttpstore export week.jsonl --since 7d --min-confidence 0.7
  ttpstore export - | jq -r 'select(.type == "tag") | .technique_id' | sort -u
  ttpstore export - | ttpstore --db 'mysql://ttp:secret@tcp(db)/ttp' import -`,
		ValidArgsFunction: completeFile,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := arguments("FILE")(cmd, args); err != nil {
				return err
			}
			if out.chosen != "" && args[0] == "-" {
				return errors.New("--output and --json cannot be used with an export to standard output: name a FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runExport(cmd, args[0], filter.filter(), out) },
	}
	out = addOutput(cmd)
	filter = addFilter(cmd)
	return cmd
}

func runExport(cmd *cobra.Command, name string, filter ttp.Filter, o *output) error {
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		var report ttp.ExportReport
		err := writeTo(cmd, name, func(w io.Writer) (err error) {
			report, err = exportRecords(ctx, cmd, store, w, name, filter)
			return err
		})
		if err != nil {
			return err
		}
		if o.chosen != "" {
			return printObject(cmd, o, report, func(display) [][2]string { return exportFields(report) })
		}
		notef(cmd.ErrOrStderr(), "exported %s, %s, %s, %s\n", count(report.Campaigns, "campaign"),
			count(report.Identities, "identity"), count(report.Attackers, "attacker"), count(report.Tags, "tag"))
		return nil
	})
}

func exportRecords(ctx context.Context, cmd *cobra.Command, store *ttp.Store, w io.Writer, name string, filter ttp.Filter,
) (ttp.ExportReport, error) {
	var bar *progressBar
	if name != "-" || !isTerminal(cmd.OutOrStdout()) { // a bar would mix with records on a terminal
		bar = newProgress(cmd.ErrOrStderr(), "tags", func() (int64, error) { return store.CountTags(ctx, ttp.Fleet(), filter) })
	}
	defer bar.clear()
	return store.Export(ctx, w, filter, func(r ttp.ExportReport) { bar.set(int64(r.Tags)) })
}

func exportFields(r ttp.ExportReport) [][2]string {
	return [][2]string{
		{"campaigns", strconv.Itoa(r.Campaigns)}, {"identities", strconv.Itoa(r.Identities)},
		{"attackers", strconv.Itoa(r.Attackers)}, {"tags", strconv.Itoa(r.Tags)},
	}
}

// writeTo calls write with a buffered writer to the named file, or to standard output for "-".
func writeTo(cmd *cobra.Command, name string, write func(io.Writer) error) error {
	if name == "-" {
		return buffered(cmd.OutOrStdout(), write)
	}
	if strings.HasSuffix(name, ".gz") {
		return writeFile(name, func(w io.Writer) error { return compressed(w, write) })
	}
	return writeFile(name, write)
}

// writeFile writes a file atomically: it writes a temporary file in the same folder and renames it. An existing
// file keeps its mode; a new one is readable by its owner only, since evidence may be sensitive.
func writeFile(name string, write func(io.Writer) error) error {
	path, err := filepath.EvalSymlinks(name) // replace the target, not the link
	if err != nil {
		path = name
	}
	mode := fs.FileMode(0o600)
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory", name)
	case err == nil && !info.Mode().IsRegular():
		return writeDevice(path, write)
	case err == nil:
		mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()+".part")
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = buffered(file, write)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync() // before the rename, so that a power cut cannot leave an empty file
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}

// writeDevice writes to a pipe or device in place: a rename would replace it with a file.
func writeDevice(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(buffered(file, write), file.Close())
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	buffer := bufio.NewWriterSize(w, 64<<10)
	if err := write(buffer); err != nil {
		return err
	}
	return buffer.Flush()
}

func compressed(w io.Writer, write func(io.Writer) error) error {
	zip := gzip.NewWriter(w)
	if err := write(zip); err != nil {
		return err
	}
	return zip.Close()
}
