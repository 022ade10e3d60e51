package text

import (
	"strconv"
	"time"
)

// button is what stands on the button of a link tag.
func button(tag string, l Language) string {
	words, ok := buttons[tag]
	if !ok {
		words = buttons["LINK_OPEN"]
	}
	return words[l]
}

var buttons = map[string]map[Language]string{
	"LINK_APPROVE": {English: "Approve", Portuguese: "Aprovar", Spanish: "Aprobar"},
	"LINK_REJECT":  {English: "Reject", Portuguese: "Rejeitar", Spanish: "Rechazar"},
	"LINK_REQUEST": {English: "Open the request", Portuguese: "Abrir a solicitação", Spanish: "Abrir la solicitud"},
	"LINK_OPEN":    {English: "Open", Portuguese: "Abrir", Spanish: "Abrir"},
}

// hint is the sentence of a hint tag.
func hint(tag string, l Language) string { return hints[tag][l] }

var hints = map[string]map[Language]string{
	"REPLY_HINT": {
		English:    "Or answer this mail with APPROVE or REJECT as its first line.",
		Portuguese: "Ou responda a este e-mail com APROVAR ou REJEITAR na primeira linha.",
		Spanish:    "O responda a este correo con APROBAR o RECHAZAR en la primera línea.",
	},
	"EMERGENCY_HINT": {
		English:    "This is an emergency access: it has been granted already.",
		Portuguese: "Este é um acesso de emergência: ele já foi concedido.",
		Spanish:    "Este es un acceso de emergencia: ya ha sido concedido.",
	},
}

// moment writes a time as a tag of that kind wants it. t is in the reader's zone.
func moment(t time.Time, kind Kind, l Language) string {
	switch kind {
	case KindLongTime:
		return longTime(t, l)
	case KindDate:
		return t.Format(dateLayout(l))
	case KindTime:
		return t.Format(timeLayout(l))
	case KindDateTime, KindText, KindList, KindURL, KindLink, KindHint:
	}
	return t.Format(dateLayout(l) + " 15:04:05")
}

func dateLayout(l Language) string {
	if l == English {
		return "01/02/2006"
	}
	return "02/01/2006"
}

func timeLayout(l Language) string {
	if l == English {
		return "03:04 PM"
	}
	return "15:04"
}

// longTime is "Thursday, December 19 12:47 PM".
func longTime(t time.Time, l Language) string {
	switch l {
	case Portuguese, Spanish:
		c := calendars[l]
		return c.days[t.Weekday()] + ", " + strconv.Itoa(t.Day()) + " de " + c.months[t.Month()-1] + " " + t.Format("15:04")
	default:
		return t.Format("Monday, January 2 03:04 PM")
	}
}

type calendar struct {
	days   [7]string // from Sunday on
	months [12]string
}

var calendars = map[Language]calendar{
	Portuguese: {
		[7]string{"domingo", "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado"},
		[12]string{"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"},
	},
	Spanish: {
		[7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		[12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	},
}
