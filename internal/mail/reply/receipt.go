package reply

import (
	"strings"

	"orbit/internal/mail/reply/parts"
)

// classifyReceipt recognises disposition notifications, and the prose that some programs send instead.
func (rd *reading) classifyReceipt() bool {
	m := &rd.message
	switch {
	case rd.notice != nil:
		m.Receipt = readNotice(rd.notice)
	case rd.reportType() == "disposition-notification":
		m.Receipt = &Receipt{Disposition: "displayed", Recipient: m.From.Address}
	default:
		m.Receipt = rd.proseReceipt()
	}
	if m.Receipt == nil {
		return false
	}
	if m.Receipt.MessageID == "" {
		m.Receipt.MessageID = firstNonEmpty(firstOf(messageIDs(rd.originalHeader().Get("Message-ID"))), firstOf(m.InReplyTo))
	}
	rd.relate(m.Receipt.MessageID)
	return true
}

func firstNonEmpty(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func readNotice(b *parts.Buffer) *Receipt {
	text := strings.TrimLeft(parts.DecodeCharset("", b.String()), "\n")
	h, _ := parts.ParseHeader(text)
	modes, disposition, _ := strings.Cut(strings.ToLower(h.Get("Disposition")), ";")
	disposition, _, _ = strings.Cut(strings.TrimSpace(disposition), "/") // a modifier
	return &Receipt{
		Recipient:   firstNonEmpty(typedAddress(h.Get("Original-Recipient")), typedAddress(h.Get("Final-Recipient"))),
		MessageID:   firstOf(messageIDs(h.Get("Original-Message-ID"))),
		Disposition: strings.TrimSpace(disposition),
		ByPerson:    !strings.Contains(modes, "mdn-sent-automatically"),
		UserAgent:   h.Get("Reporting-UA"),
		Standard:    true,
	}
}

// typedAddress reads "rfc822; ana@example.com".
func typedAddress(value string) string {
	kind, address, found := strings.Cut(value, ";")
	if !found {
		address = kind
	}
	return strings.Trim(address, "<>\" \t")
}

// proseReceipt recognises a receipt by its subject and a sentence together: either alone could be a person's.
func (rd *reading) proseReceipt() *Receipt {
	m := &rd.message
	if !hasAnyPrefix(strings.ToLower(m.Subject), receiptSubjects) {
		return nil
	}
	text := strings.ToLower(strings.Join(strings.Fields(rd.body.full()), " "))
	switch {
	case len(text) > 4000:
		return nil
	case containsAny(text, deletedPhrases):
		return &Receipt{Disposition: "deleted", Recipient: m.From.Address, ByPerson: true}
	case containsAny(text, readPhrases):
		return &Receipt{Disposition: "displayed", Recipient: m.From.Address, ByPerson: true}
	}
	return nil
}

// receiptSubjects begin the subject of a receipt, in lower case.
var receiptSubjects = []string{
	"read:", "not read:", "return receipt", "read receipt", "read-receipt", "delivery receipt", "disp.:",
	"lida:", "lido:", "não lida:", "não lido:", "confirmação de leitura", "recibo de leitura",
	"leído:", "leido:", "no leído:", "confirmación de lectura", "acuse de recibo", "acuse de lectura",
	"gelesen:", "nicht gelesen:", "ungelesen:", "lesebestätigung", "empfangsbestätigung",
	"lu :", "lu:", "non lu :", "non lu:", "accusé de réception", "confirmation de lecture", "accusé de lecture",
}

var readPhrases = []string{
	"was read on", "has been read on", "was displayed on", "has been displayed on", "this is a return receipt for", "this receipt shows that the message has been displayed",
	"foi lida em", "foi lido em", "foi lida ", "foi exibida no", "foi visualizada",
	"fue leído el", "ha sido leído", "se leyó el", "se ha mostrado en", "fue leido el",
	"wurde gelesen am", "gelesen am", "wurde angezeigt", "am bildschirm des empfängers angezeigt",
	"a été lu le", "a été lu ", "a été affiché",
}

var deletedPhrases = []string{
	"was deleted without being read", "foi excluída sem ser lida", "foi eliminada sem ser lida", "se eliminó sin ser leído", "ha sido eliminado sin leer", "ohne gelesen zu werden gelöscht",
	"wurde ungelesen gelöscht", "a été supprimé sans être lu", "a été supprimé sans avoir été lu",
}
