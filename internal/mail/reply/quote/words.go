package quote

// The words by which mail programs introduce older text, folded: English, Portuguese, Spanish, German, French.

// dividers stand between dashes, or before a colon.
var dividers = set(
	"original message", "original appointment", "forwarded message", "begin forwarded message", "reply message",
	"mensagem original", "mensagem encaminhada", "mensagem reencaminhada", "início da mensagem encaminhada",
	"início da mensagem reencaminhada", "compromisso original",
	"mensaje original", "mensaje reenviado", "inicio del mensaje reenviado", "cita original",
	"ursprüngliche nachricht", "original-nachricht", "originalnachricht", "weitergeleitete nachricht",
	"anfang der weitergeleiteten nachricht", "ursprünglicher termin",
	"message d'origine", "message d’origine", "message original", "message transféré", "message réexpédié", "début du message réexpédié",
	"début du message transféré", "rendez-vous d'origine",
)

// dividerStarts begin a divider that goes on with a name.
var dividerStarts = []string{"forwarded by ", "encaminhado por ", "reenviado por ", "weitergeleitet von ", "réacheminé par ", "transféré par "}

// labelWords are the header fields that programs show above an older message.
var labelWords = map[string]label{
	"from": fromLabel, "de": fromLabel, "von": fromLabel, "expéditeur": fromLabel, "remitente": fromLabel, "remetente": fromLabel,
	"sent": dateLabel, "date": dateLabel, "enviado": dateLabel, "enviada": dateLabel, "enviado em": dateLabel, "enviada em": dateLabel,
	"enviado el": dateLabel, "data": dateLabel, "data de envio": dateLabel, "fecha": dateLabel, "fecha de envío": dateLabel,
	"gesendet": dateLabel, "gesendet am": dateLabel, "datum": dateLabel, "envoyé": dateLabel, "envoyé le": dateLabel, "date d'envoi": dateLabel,
	"to": toLabel, "para": toLabel, "an": toLabel, "à": toLabel, "a": toLabel, "pour": toLabel,
	"subject": subjectLabel, "assunto": subjectLabel, "asunto": subjectLabel, "betreff": subjectLabel, "objet": subjectLabel, "sujet": subjectLabel,
	"cc": copyLabel, "cópia": copyLabel, "copia": copyLabel, "kopie": copyLabel, "copie": copyLabel, "copie à": copyLabel,
}

// wroteVerbs end, or in German stand inside, the sentence above a quotation.
var wroteVerbs = []string{" wrote", " writes", " escreveu", " escribió", " schrieb", " geschrieben", " a écrit"}

// onWords begin it.
var onWords = []string{"on ", "em ", "no dia ", "a ", "el ", "am ", "le "}

// mobileStarts begin the line that a phone or a program adds below the text.
var mobileStarts = begins(
	"sent from my ", "sent from outlook", "sent from mail for ", "sent from yahoo", "yahoo mail:", "yahoo mail :", "sent from aol", "sent from the all new aol", "sent from mailspring",
	"sent from bluemail", "sent from blue mail", "sent from nine", "sent from zoho", "sent from spike", "sent from edison", "sent from canary", "sent from superhuman",
	"sent from proton", "sent from samsung", "sent from gmail",
	"sent with proton", "sent with spark", "sent via ", "get outlook for ", "sent using ",
	"enviado do meu ", "enviada do meu ", "enviado de meu ", "enviado do outlook", "enviado do yahoo", "enviado do e-mail para ",
	"enviado do email para ", "enviado com proton", "obter o outlook para ", "obtenha o outlook para ", "baixe o outlook para ", "enviado a partir do ", "enviado via ",
	"enviado desde mi ", "enviado desde outlook", "enviado desde yahoo", "enviado desde correo", "enviado con proton", "obtener outlook para ", "obtenga outlook para ",
	"von meinem ", "gesendet von ", "von outlook", "gesendet mit ", "gesendet über ", "outlook für ", "holen sie sich outlook", "diese nachricht wurde von meinem ",
	"envoyé de mon ", "envoyé depuis ", "envoyé à partir ", "envoyé avec ", "télécharger outlook pour ", "obtenir outlook pour ", "provenance : courrier",
)

// footerStarts begin what companies and virus scanners add below.
var footerStarts = begins(
	"this e-mail and any ", "this email and any ", "this e-mail is confidential", "this email is confidential", "this message and any attach",
	"this message is confidential", "this e-mail may contain", "this email may contain", "the information contained in this ", "confidentiality notice",
	"this email has been checked for viruses", "this e-mail has been checked for viruses", "this email has been scanned", "virus-free", "please consider the environment",
	"esta mensagem e seus anexos", "esta mensagem, incluindo", "esta mensagem pode conter", "esta mensagem é confidencial", "este e-mail e seus anexos",
	"este email e seus anexos", "este e-mail e os seus anexos", "as informações contidas nest", "aviso de confidencialidade", "antes de imprimir", "livre de vírus",
	"este mensaje y sus ", "este mensaje y cualquier ", "este correo electrónico y ", "este correo y sus ", "este mensaje es confidencial", "este mensaje puede contener",
	"la información contenida en este ", "aviso de confidencialidad", "aviso legal", "libre de virus",
	"diese e-mail enthält ", "diese nachricht enthält ", "diese e-mail und ", "diese e-mail kann ", "diese nachricht ist vertraulich", "der inhalt dieser e-mail", "virenfrei",
	"bitte denken sie an die umwelt",
	"ce message et ", "ce courriel et ", "ce message peut contenir", "ce message est confidentiel", "ce courriel est confidentiel", "les informations contenues dans ce",
	"avis de confidentialité", "sans virus", "avant d'imprimer",
)

// bannerStarts begin what gateways put above a message from outside.
var bannerStarts = begins(
	"caution: this email originated from outside", "caution: external", "caution: this email is from outside", "external]", "external email", "external sender",
	"warning: this email originated", "warning: external", "this message was sent from outside", "you don't often get email from", "you don’t often get email from",
	"cuidado: este e-mail", "atenção: este e-mail", "atenção: e-mail externo", "externo]", "e-mail externo", "esta mensagem foi enviada de fora", "você não costuma receber",
	"atención: este correo", "precaución: este correo", "correo externo", "no suele recibir correo", "no suele recibir correos",
	"achtung: diese e-mail", "achtung: externe", "extern]", "externe e-mail", "sie erhalten nicht häufig", "sie erhalten nicht oft",
	"attention : ce message", "attention : ce courriel", "attention: ce message", "externe]", "message externe", "vous n’obtenez pas souvent", "vous n'obtenez pas souvent",
)

// closings end a letter; below them stand a name and how to reach it.
var closings = set(
	"best regards", "kind regards", "regards", "best", "many thanks", "thanks", "thank you", "thanks and regards", "warm regards", "sincerely", "cheers", "yours sincerely",
	"with kind regards", "br", "kr", "best wishes", "yours truly", "yours faithfully", "all the best", "take care",
	"atenciosamente", "att", "at.te", "atte", "abraços", "abraço", "cumprimentos", "com os melhores cumprimentos", "melhores cumprimentos", "cordialmente", "obrigado",
	"obrigada", "grato", "grata", "saudações",
	"saludos", "un saludo", "saludos cordiales", "atentamente", "un cordial saludo", "cordiales saludos", "gracias", "muchas gracias", "reciba un cordial saludo",
	"mit freundlichen grüßen", "mit freundlichen grüssen", "freundliche grüße", "freundliche grüsse", "viele grüße", "beste grüße", "liebe grüße", "mfg", "vg", "lg", "gruß",
	"viele grüsse", "mit besten grüßen", "danke", "vielen dank", "schöne grüße",
	"cordialement", "bien cordialement", "bien à vous", "bien à toi", "bien amicalement", "à bientôt", "excellente journée", "cdlt", "cdt", "salutations", "meilleures salutations", "merci", "sincères salutations", "bonne journée",
	"merci d'avance",
)

// closingEnds end the many others.
var closingEnds = set(
	"regards", "wishes", "sincerely", "cumprimentos", "abraço", "abraços", "saudações", "saludo", "saludos", "cordialmente", "atentamente",
	"gruß", "gruss", "grüße", "grüßen", "grüsse", "grüssen", "grüßle", "cordialement", "salutations", "amicalement",
)

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
