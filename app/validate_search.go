package app

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
)

// validateSearch never shows the setting: it may contain a password.
func (c Config) validateSearch() error {
	switch scheme(c.Search) {
	case "bleve":
		if searchFolder(c.Search) == "" {
			return errors.New("search: bleve: needs a folder, such as bleve:data/search")
		}
	case "http", "https":
		if u, err := url.Parse(c.Search); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("search: invalid address; use http://HOST:7700")
		}
	default:
		return fmt.Errorf("search: unknown scheme %q; use bleve:FOLDER or http://HOST:7700", scheme(c.Search)+":")
	}
	return errors.Join(c.AsyncIndexing.validate(), c.Meilisearch.validate())
}

func (a AsyncIndexing) validate() error {
	if a.BatchSize < 1 || a.BatchSize > 1000 {
		return fmt.Errorf("async_indexing.batch_size: %d is not between 1 and 1000", a.BatchSize)
	}
	if a.BatchTimeoutMS < 1 || a.BatchTimeoutMS > 60_000 {
		return fmt.Errorf("async_indexing.batch_timeout_ms: %d is not between 1 and 60000", a.BatchTimeoutMS)
	}
	return nil
}

func (m Meilisearch) validate() error {
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`).MatchString(m.Index) {
		return errors.New("meilisearch.index: use 1 to 100 characters of A-Z a-z 0-9 _ -")
	}
	for name, ms := range map[string]int{"connection_timeout_ms": m.ConnectionTimeoutMS, "request_timeout_ms": m.RequestTimeoutMS} {
		if ms < 1 || ms > 60_000 {
			return fmt.Errorf("meilisearch.%s: %d is not between 1 and 60000", name, ms)
		}
	}
	return nil
}
