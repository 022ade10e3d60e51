package fetch

import (
	"context"
	"errors"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// markSeen sets \Seen.
func (b *imapBox) markSeen(_ context.Context, refs []Ref) error {
	unseen := slices.DeleteFunc(slices.Clone(refs), func(r Ref) bool { return r.seen })
	return b.each(unseen, func(uids imap.UIDSet) error { return b.store(uids, imap.StoreFlagsAdd, imap.FlagSeen) })
}

// remove deletes messages: where the server can, only those (RFC 4315 2.1).
func (b *imapBox) remove(_ context.Context, refs []Ref) error {
	return b.each(refs, func(uids imap.UIDSet) error {
		if !b.offer.has("UIDPLUS") && !b.offer.has("IMAP4REV2") {
			return b.removeByHand(uids)
		}
		if err := b.store(uids, imap.StoreFlagsAdd, imap.FlagDeleted); err != nil {
			return err
		}
		return b.do(func() error { return b.client.UIDExpunge(uids).Close() })
	})
}

// removeByHand is for servers that can only delete all that is marked: what others have marked loses its mark for that
// moment (RFC 4549 4.2.4).
func (b *imapBox) removeByHand(uids imap.UIDSet) error {
	var marked *imap.SearchData
	err := b.do(func() (err error) {
		marked, err = b.client.UIDSearch(&imap.SearchCriteria{
			Flag: []imap.Flag{imap.FlagDeleted}, Not: []imap.SearchCriteria{{UID: []imap.UIDSet{uids}}},
		}, nil).Wait()
		return err
	})
	if err != nil {
		return err
	}
	others, _ := marked.All.(imap.UIDSet)
	if err := b.store(others, imap.StoreFlagsDel, imap.FlagDeleted); err != nil {
		return err
	}
	err = b.store(uids, imap.StoreFlagsAdd, imap.FlagDeleted)
	if err == nil {
		err = b.do(func() error { return b.client.Expunge().Close() })
	}
	return errors.Join(err, b.store(others, imap.StoreFlagsAdd, imap.FlagDeleted))
}

func (b *imapBox) store(uids imap.UIDSet, op imap.StoreFlagsOp, flag imap.Flag) error {
	if len(uids) == 0 {
		return nil
	}
	return b.do(func() error {
		return b.client.Store(uids, &imap.StoreFlags{Op: op, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}

// each runs a change for as many messages at a time as fit a command.
func (b *imapBox) each(refs []Ref, change func(imap.UIDSet) error) error {
	var uids imap.UIDSet
	for i, ref := range refs {
		number, err := uid(ref)
		if err != nil {
			return err
		}
		uids.AddNum(number)
		if len(uids) < maxRanges && (i+1)%maxUIDs != 0 && i+1 < len(refs) {
			continue
		}
		if err := change(uids); err != nil {
			return err
		}
		uids = nil
	}
	return nil
}
