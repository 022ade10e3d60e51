package notify

import (
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// Jobs is the queue behind the senders, for a page that shows it.
func (s *Service) Jobs() *river.Client[pgx.Tx] { return s.jobs }
