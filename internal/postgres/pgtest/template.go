package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"

	"orbit/internal/postgres"
	"orbit/internal/postgres/cluster"
	"orbit/migrations"
)

// buildTemplate returns the name of a database with the current schema, making it when it is missing. It is
// named after the migrations, so binaries built before and after a change of them do not disturb each other.
func (r *run) buildTemplate() (string, error) {
	sum, err := migrationsSum(migrations.FS)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	lock, err := cluster.AwaitLock(ctx, r.shared.draft(), "test")
	if err != nil {
		return "", err
	}
	defer lock.Release()
	name := "template_" + sum
	exists, err := r.exists(ctx, name)
	if err != nil || exists {
		return name, err
	}
	return name, r.fillTemplate(ctx, name)
}

func (r *run) exists(ctx context.Context, name string) (found bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row := r.admin.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name)
	return found, row.Scan(&found)
}

// fillTemplate migrates under another name first: a database with the template's name is complete.
func (r *run) fillTemplate(ctx context.Context, name string) error {
	draft := "draft_" + name
	if err := r.exec(ctx, "drop database if exists %s with (force)", draft); err != nil {
		return err
	}
	if err := r.exec(ctx, "create database %s", draft); err != nil {
		return err
	}
	if err := r.migrate(ctx, draft); err != nil {
		return err
	}
	// A template cannot be copied while somebody is connected, so nobody may connect at all.
	if err := r.exec(ctx, "alter database %s with is_template true allow_connections false", draft); err != nil {
		return err
	}
	return r.exec(ctx, "alter database %s rename to %s", draft, name)
}

func (r *run) migrate(ctx context.Context, database string) error {
	pool, err := postgres.NewPool(ctx, r.url(database))
	if err != nil {
		return err
	}
	defer pool.Close()
	return postgres.Migrate(ctx, pool)
}

func migrationsSum(files fs.FS) (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := files.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		fmt.Fprintln(hash, path)
		_, err = io.Copy(hash, file)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil)[:6]), err
}
