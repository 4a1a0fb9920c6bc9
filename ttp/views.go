package ttp

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/decnet/ttpstore/sql/views"
)

// CreateViews creates the views that other programs read, or replaces them by those of this module, and returns their
// names. Their ids are text, their times are in ISO 8601, and their columns have the names of the JSON keys. It fails
// on a Vitess cluster. [Store.MigrateDown] to version 0 drops them.
func (s *Store) CreateViews(ctx context.Context) (names []string, err error) {
	defer s.begin(ctx, "create views", &err)()
	if err := s.requireNoTx(ctx); err != nil {
		return nil, err
	}
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if s.engine.sharded() {
		return nil, errors.New("a Vitess cluster cannot have views: its tags are in another keyspace")
	}
	if err := s.dropViews(ctx); err != nil {
		return nil, err
	}
	err = s.eachView(func(name, statement string) error {
		names = append(names, name)
		_, err := s.write.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

var dropEachView = []string{
	"DROP VIEW IF EXISTS ttp_attacker_view", "DROP VIEW IF EXISTS ttp_campaign_view",
	"DROP VIEW IF EXISTS ttp_identity_view", "DROP VIEW IF EXISTS ttp_tag_view",
}

func (s *Store) dropViews(ctx context.Context) error {
	for _, drop := range dropEachView {
		if _, err := s.write.ExecContext(ctx, drop); err != nil {
			return err
		}
	}
	return nil
}

// eachView calls use with the name and the statement of each view, in order of name.
func (s *Store) eachView(use func(name, statement string) error) error {
	folder := string(s.Dialect())
	files, err := views.FS.ReadDir(folder)
	for _, file := range files {
		var statement []byte
		if statement, err = fs.ReadFile(views.FS, folder+"/"+file.Name()); err != nil {
			return err
		}
		if err = use(strings.TrimSuffix(file.Name(), ".sql"), string(statement)); err != nil {
			return err
		}
	}
	return err
}
