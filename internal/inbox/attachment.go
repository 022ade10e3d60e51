package inbox

import (
	"path"
	"strconv"
	"strings"
	"unicode"

	"orbit/internal/mail/reply"
	"orbit/internal/problem"
)

// maxFileName bounds the name of a file that leaves Orbit.
const maxFileName = 120

// Attachment returns the attachment whose body Part writes, or problem.ErrNotFound. Parts that are the text of the
// message are none.
func (m Message) Attachment(part int) (reply.Attachment, error) {
	for _, a := range m.Read.Attachments {
		if a.Part == part {
			return a, nil
		}
	}
	return reply.Attachment{}, problem.ErrNotFound
}

// FileName is what the message is called on the reader's disk.
func (r Row) FileName() string { return "message-" + strconv.FormatInt(r.ID, 10) + ".eml" }

// endings are for what has no name of its own: mostly messages in the reports of mail servers.
var endings = map[string]string{
	"message/rfc822": ".eml", "text/rfc822-headers": ".txt", "message/delivery-status": ".txt", "text/plain": ".txt", "application/pdf": ".pdf",
	"image/png": ".png", "image/jpeg": ".jpg",
}

// FileName is what an attachment is called on the reader's disk: no path, nothing invisible that turns a name around.
func FileName(a reply.Attachment) string {
	name := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return -1
		}
		return r
	}, strings.ReplaceAll(a.Name, `\`, "/"))
	name = strings.TrimLeft(strings.TrimSpace(path.Base(name)), ".")
	if runes := []rune(name); len(runes) > maxFileName { // the end tells what it is
		name = string(runes[len(runes)-maxFileName:])
	}
	if name == "" || name == "/" {
		return "attachment-" + strconv.Itoa(a.Part) + endings[strings.ToLower(a.Type)]
	}
	return name
}
