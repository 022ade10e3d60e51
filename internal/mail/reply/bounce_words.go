package reply

// bounceSubjects begin the subjects of bounces, in lower case.
var bounceSubjects = []string{
	"undeliverable", "undelivered mail", "undelivered message", "undeliverable mail", "delivery status notification", "mail delivery failed", "mail delivery failure", "failure notice", "returned mail",
	"delivery failure", "delivery failed", "delivery has failed", "mail delivery system", "warning: could not send", "warning: message", "message delivery failure", "nondeliverable mail", "non-deliverable mail",
	"mail system error - returned mail", "delivery error", "message undeliverable", "could not deliver", "mail could not be delivered", "unable to deliver", "delivery delayed", "delayed mail", "delivery report",
	"delivery notification: delivery has failed", "rejected mail", "mail rejected", "message not delivered", "error sending",
	"não foi possível entregar", "falha na entrega", "não entregue", "mensagem não entregue", "correio não entregue", "falha de entrega", "falha ao entregar", "notificação de falha na entrega", "entrega atrasada", "erro na entrega",
	"no se puede entregar", "no se pudo entregar", "no entregado", "mensaje no entregado", "correo no entregado", "error al entregar", "error de entrega", "fallo en la entrega", "entrega retrasada", "notificación de estado de entrega",
	"unzustellbar", "nicht zustellbar", "zustellung fehlgeschlagen", "fehler bei der zustellung", "zustellung verzögert", "mail konnte nicht zugestellt", "rückläufer",
	"non remis", "échec de la remise", "échec de remise", "échec de la livraison", "message non délivré", "message non distribuable", "non distribuable", "remise différée", "remise retardée", "mail non remis",
}

var delaySubjects = []string{
	"delivery delayed", "delayed mail", "warning: could not send", "warning: message", "delivery status notification (delay)", "delayed:", "entrega atrasada", "entrega retrasada", "zustellung verzögert", "remise différée", "remise retardée",
}

// bouncePhrases stand in the text of bounces only, in lower case.
var bouncePhrases = []string{
	"this is the mail system at host", "your message could not be delivered", "could not be delivered to", "couldn't be delivered to", "wasn't delivered to", "was not delivered to", "hi. this is the qmail-send program", "i'm afraid i wasn't able to deliver",
	"i'm sorry to have to inform you", "this message was created automatically by mail delivery software", "a message that you sent could not be delivered", "the following address(es) failed", "the following recipients could not be reached",
	"did not reach some or all of the intended recipients", "did not reach the following recipient", "delivery has failed to these recipients", "delivery to the following recipient", "delivery to the following addresses failed",
	"the following addresses had permanent", "the following addresses had transient", "address not found", "sorry, we were unable to deliver your message", "unable to deliver your message", "message could not be delivered", "the following recipient(s) could not be reached",
	"cannot be delivered to", "permanent error", "undeliverable to the following", "failed to deliver to", "could not deliver your message", "mail delivery to the following", "the mail system tried to deliver your message", "recipient address rejected",
	"has not been delivered", "was blocked by our", "your mail to the following recipients could not be delivered", "this is an automatically generated delivery status notification", "user unknown", "has exceeded their quota", "mailbox is full", "mailbox full",
	"não pôde ser entregue", "não foi entregue", "não foi possível entregar", "não puderam ser entregues",
	"no se ha podido entregar", "no se pudo entregar", "no pudo ser entregado", "no ha podido ser entregado",
	"konnte nicht zugestellt werden", "konnte die nachricht nicht", "konnten nicht zugestellt werden", "nicht zugestellt werden",
	"n'a pas pu être remis", "n'a pas pu être délivré", "n'a pu être délivré", "n’a pas pu être remis", "n'a pas pu être distribué",
}

var delayPhrases = []string{
	"has not yet been delivered", "has been delayed", "will continue to be attempted", "will keep trying", "will retry", "could not send message for past", "delivery attempts will continue", "message will be retried", "no action is required on your part", "you do not need to resend",
	"this is a warning message only", "ainda não foi entregue", "aún no se ha entregado", "todavía no se ha entregado", "noch nicht zugestellt", "weiterhin versucht", "n'a pas encore été", "sera retentée",
}

// copyStarts begin the line above the copy of the returned message.
var copyStarts = []string{
	"below this line is a copy of the message", "this is a copy of the message", "this is a copy of your message", "original message", "original-message", "the header of the original message", "original message follows", "original headers", "original message headers", "message header",
	"message headers follow", "headers of the original message", "your original message", "a copy of the original message", "returned message", "returned mail follows", "unsent message", "included is a copy", "copy of the message", "start of returned message", "the body of the message", "here is a copy",
	"mensagem original", "cabeçalhos da mensagem original", "cópia da mensagem", "cabeçalho da mensagem", "mensaje original", "encabezados de mensajes originales", "encabezado del mensaje", "copia del mensaje", "ursprüngliche nachricht", "ursprüngliche nachrichtenkopf", "kopie der nachricht", "originalnachricht", "message d'origine", "en-têtes de message", "en-têtes du message", "copie du message",
	"return-path:", "received:", "received: from", "message-id:",
}

// recipientWords precede the address that a bounce is about.
var recipientWords = []string{
	"recipient", "rcpt to", "to:", "delivered to", "deliver to", "deliver your message to", "destinatário", "destinatario", "empfänger", "destinataire", "user ", "mailbox", "address", "addressee", "para:", "an:", "account",
}

// statusGuesses give a status to words that come without one.
var statusGuesses = []struct {
	status  string
	phrases []string
}{
	{"5.2.2", []string{"quota", "mailbox full", "mailbox is full", "over quota", "caixa postal cheia", "caixa de correio cheia", "buzón lleno", "postfach voll", "postfach ist voll", "boîte pleine", "boîte aux lettres pleine"}},
	{"5.1.2", []string{"host unknown", "domain not found", "couldn't find any host", "host not found", "host or domain name not found", "unrouteable address", "unroutable", "domain does not"}},
	{"5.1.1", []string{
		"user unknown", "unknown user", "no such user", "no such recipient", "no such address", "no such mailbox", "no such account", "recipient not exist", "doesn't have a", "invalid address", "does not exist", "doesn't exist", "not found", "no mailbox", "unknown recipient", "invalid recipient", "not listed in", "no account by that name", "recipient unknown", "mailbox unavailable", "isn't a known",
		"não existe", "usuário desconhecido", "destinatário desconhecido", "no existe", "usuario desconocido", "existiert nicht", "unbekannt", "n'existe pas", "inconnu",
	}},
	{"5.4.7", []string{"retry timeout exceeded", "retry time not reached", "timed out", "too long", "no longer tried", "giving up"}},
	{"5.7.1", []string{"spam", "blocked", "blacklist", "denied", "policy", "rejected for", "refused"}},
}
