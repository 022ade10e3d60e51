package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"orbit/internal/identity"
	"orbit/internal/inbox"
)

// messageFiles are the operations whose answer is a file of a stranger.
func (a *api) messageFiles(message string) {
	registerFile(a, operation{"show-raw-message", http.MethodGet, message + "/raw", "The message as the server sent it", messageTag, identity.Auditor, 0}, rawType, a.rawMessage)
	registerFile(a, operation{"download-attachment", http.MethodGet, message + "/parts/{part}", "An attachment, decoded; see the parts of the message", messageTag, identity.Auditor, 0}, partType, a.messagePart)
}

// The types of files. What an attachment is, its sender says; nothing shall open it for that.
const (
	rawType  = "message/rfc822"
	partType = "application/octet-stream"
)

// partBody is an attachment as programs find it.
type partBody struct {
	Part      int    `json:"part" doc:"Its number in .../parts/{part}"`
	Name      string `json:"name" doc:"As the sender wrote it: no path to trust"`
	Type      string `json:"type" doc:"As the sender says"`
	Size      int64  `json:"size"`
	Inline    bool   `json:"inline,omitempty" doc:"Shown within the HTML"`
	ContentID string `json:"content_id,omitempty" doc:"How the HTML names it"`
}

func partsOf(m inbox.Message) []partBody {
	all := make([]partBody, len(m.Read.Attachments))
	for i, a := range m.Read.Attachments {
		all[i] = partBody(a)
	}
	return all
}

func (a *api) rawMessage(c *call, i *MessageInput) (*huma.StreamResponse, error) {
	found, err := a.message(c, i)
	if err != nil {
		return nil, err
	}
	return file(rawType, found.FileName(), func(ctx context.Context, w io.Writer) error {
		return a.Inbox.Raw(ctx, found.ID, w)
	}), nil
}

type partInput struct {
	MessageInput
	Part int `path:"part" minimum:"0"`
}

func (a *api) messagePart(c *call, i *partInput) (*huma.StreamResponse, error) {
	found, err := a.message(c, &i.MessageInput)
	if err != nil {
		return nil, err
	}
	attachment, err := found.Attachment(i.Part)
	if err != nil {
		return nil, err
	}
	return file(partType, inbox.FileName(attachment), func(ctx context.Context, w io.Writer) error {
		return a.Inbox.Part(ctx, found.ID, i.Part, w)
	}), nil
}

// file is an answer to be kept and not shown. One that cannot go on is broken off: the program must see that it does
// not have all of it.
func file(kind, name string, write func(context.Context, io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", kind)
		ctx.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		ctx.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
		if err := write(ctx.Context(), ctx.BodyWriter()); err != nil {
			panic(http.ErrAbortHandler)
		}
	}}
}

// registerFile is register for an operation that answers with a file.
func registerFile[I any](a *api, o operation, kind string, handler func(*call, *I) (*huma.StreamResponse, error)) {
	op := o.describe()
	op.Responses = map[string]*huma.Response{strconv.Itoa(http.StatusOK): {
		Description: "The file",
		Content:     map[string]*huma.MediaType{kind: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
	huma.Register(a.huma, op, wrap(handler))
}
