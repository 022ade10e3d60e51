package quote

import (
	"strings"
	"testing"
)

func newText(text string) string { return New(Lines(text)) }

func TestAttributionsOfManyProgramsAreKnown(t *testing.T) {
	t.Parallel()
	for _, attribution := range []string{
		"On Mon, Mar 3, 2025 at 10:12 AM Ana Prado <ana@example.org> wrote:",
		"On Mon, Mar 3, 2025 at 10:12\u202fAM Ana Prado\n<ana@example.org> wrote:",
		"On 3 Mar 2025 at 10:12 -0300, Ana Prado <ana@example.org>, wrote:",
		"On Monday, March 3, 2025 at 10:12:33 AM GMT-3, Ana Prado <ana@example.org> wrote:",
		"On 3/3/25 10:12, Ana Prado wrote:",
		"On 3/3/25, 10:12 AM, \"Ana Prado\" <ana@example.org> wrote:",
		"---- On Mon, 03 Mar 2025 10:12:33 -0300 Ana Prado <ana@example.org> wrote ----",
		"Em seg., 3 de mar. de 2025 às 10:12, Ana Prado <ana@example.org>\nescreveu:",
		"Em 03/03/2025 10:12, Ana Prado escreveu:",
		"Em 3 de mar. de 2025, à(s) 10:12, Ana Prado <ana@example.org> escreveu:",
		"Ana Prado <ana@example.org> escreveu (segunda, 3/03/2025 à(s) 10:12):",
		"A segunda, 3 de mar de 2025, 10:12, Ana Prado <ana@example.org>\nescreveu:",
		"El lun, 3 mar 2025 a las 10:12, Ana Prado (<ana@example.org>) escribió:",
		"El 3/3/25 a las 10:12, Ana Prado escribió:",
		"Am Mo., 3. März 2025 um 10:12 Uhr schrieb Ana Prado <ana@example.org>:",
		"Am 03.03.2025 um 10:12 schrieb Ana Prado:",
		"Am Montag, dem 03.03.2025 um 10:12 +0100 schrieb Ana Prado:",
		"Ana Prado <ana@example.org> schrieb am Mo., 3. März 2025, 10:12:",
		"Le lun. 3 mars 2025 à 10:12, Ana Prado <ana@example.org> a écrit :",
		"Le 03/03/2025 à 10:12, Ana Prado a écrit\u00a0:",
		"2025-03-03 10:12 GMT-03:00 Ana Prado <ana@example.org>:",
	} {
		for _, quoted := range []string{"> old text\n> more", "\n> old text", "old text\n\nmore", ""} {
			if got := newText("Yes, of course.\n\n" + attribution + "\n" + quoted); got != "Yes, of course." {
				t.Errorf("%q above %q: %q", attribution, quoted, got)
			}
		}
	}
}

func TestOtherLanguagesAreKnownByTheirForm(t *testing.T) {
	t.Parallel()
	if got := newText("Tak\n\nW dniu pon., 3 mar 2025 o 10:12 Ana <ana@example.org> napisał(a):\n> old"); got != "Tak" {
		t.Errorf("%q", got)
	}
	if got := newText("Ja.\n\nAna Prado writes:\n\n> old"); got != "Ja." {
		t.Errorf("%q", got)
	}
}

func TestSentencesOfPeopleAreNoAttributions(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"On Friday I wrote:\nplease wait.",
		"As Bob wrote:\nwe should not.",
		"Two things:\n- a\n- b",
		"Please write to ana@example.org:\nshe knows.",
		"From: Monday\nwe can start.",
		"Am Montag habe ich geschrieben:\nbitte warten.",
	} {
		if got := newText(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestOlderMessagesAreCut(t *testing.T) {
	t.Parallel()
	for _, older := range []string{
		"-----Original Message-----\nFrom: Ana\n\nold",
		"________________________________\nFrom: Ana Prado <ana@example.org>\nSent: Monday, March 3, 2025 10:12 AM\nTo: Bob\nSubject: x\n\nold",
		"________________________________\nDe: Ana Prado <ana@example.org>\nEnviado: segunda-feira, 3 de março de 2025 10:12\nPara: Bob\nAssunto: x\n\nold",
		"De: Ana Prado\nEnviado el: lunes, 3 de marzo de 2025 10:12\nPara: Bob\nAsunto: x\n\nold",
		"Von: Ana Prado <ana@example.org>\nGesendet: Montag, 3. März 2025 10:12\nAn: Bob\nBetreff: x\n\nold",
		"*Von:* Ana Prado\n*Gesendet:* Montag\n*An:* Bob\n*Betreff:* x",
		"De : Ana Prado <ana@example.org>\nEnvoyé : lundi 3 mars 2025 10:12\nÀ : Bob\nObjet : x\n\nold",
		"Gesendet: Montag, 03. März 2025 um 10:12 Uhr\nVon: \"Ana\" <ana@example.org>\nAn: bob@example.org\nBetreff: x",
		"From: Ana\n\nSent: Monday\n\nTo: Bob;\nCarla; Dora;\nEmil\n\nSubject: x",
		"---------- Forwarded message ---------\nFrom: Ana",
		"Begin forwarded message:\n\nFrom: Ana",
		"-------- Ursprüngliche Nachricht --------\nVon: Ana",
		"-------- Message d'origine --------\nDe : Ana",
		"Início da mensagem reencaminhada:\n\nDe: Ana",
	} {
		if got := newText("Yes.\n\n" + older); got != "Yes." {
			t.Errorf("%q: %q", older, got)
		}
		if got := newText(older); got != "" {
			t.Errorf("alone %q: %q", older, got)
		}
	}
}

func TestTextBelowAndBetweenQuotationsIsNew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"On 3/3/25 10:12, Ana wrote:\n> Shall I?\n\nYes.\n\n-- \nBob", "Yes."},
		{"Ana wrote:\n> One?\n\nYes.\n\n> Two?\nNo.\n", "Yes.\n\nNo."},
		{"> a very long line that the program of the writer has wrapped, answer with\nAPPROVE\n> or do not", ""},
		{"> a very long line that the program of the writer has wrapped, answer with\n\nAPPROVE", "APPROVE"},
		{"> Shall I?\nAPPROVE", "APPROVE"},
		{" > stuffed\n\nYes", "Yes"},
	} {
		if got := newText(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestSignaturesAndFootersGo(t *testing.T) {
	t.Parallel()
	for _, below := range []string{
		"-- \nBob", "--\nBob", "Sent from my iPhone", "Enviado do meu iPhone", "Enviado desde mi iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone",
		"Get Outlook for iOS<https://aka.ms/o0ukef>", "Obter o Outlook para Android<https://aka.ms/x>", "Sent with [Proton Mail](https://proton.me/) secure email.",
		"Best regards,\nBob\nHead of IT\n+1 555 0100", "Mit freundlichen Grüßen\n\nBob", "Atenciosamente,\nBob", "Un saludo,\nBob", "Cordialement,\nBob",
		"________________________________\nThis e-mail and any attachments are confidential and intended\nsolely for the addressee.",
		"Esta mensagem pode conter informação confidencial.", "Ce message et ses pièces jointes sont confidentiels.",
	} {
		if got := newText("Yes, do it.\n\n" + below + "\n"); got != "Yes, do it." {
			t.Errorf("%q: %q", below, got)
		}
	}
	if got := newText("CAUTION: This email originated from outside of the organization.\nDo not click.\n\nYes"); got != "Yes" {
		t.Errorf("banner: %q", got)
	}
	if got := newText("Thanks"); got != "Thanks" {
		t.Errorf("a closing alone: %q", got)
	}
}

func TestUnflowJoinsWhatTheProgramBroke(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
		delSp    bool
	}{
		{"a long \nline\nb\n", "a long line\nb\n", false},
		{"a lo \nng", "a long", true},
		{" >not quoted\n", ">not quoted\n", false},
		{"text \n-- \nBob", "text \n-- \nBob", false},
		{"> q \n> r\nnew", "> q \n> r\nnew", false},
	} {
		if got := Unflow(c.in, c.delSp); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestUnarmorKeepsTheText(t *testing.T) {
	t.Parallel()
	const rest = "\n-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n"
	for _, c := range []struct{ in, want string }{
		{"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nAPPROVE\n- -- \nBob" + rest, "APPROVE\n-- \nBob"},
		{"-----BEGIN PGP SIGNED MESSAGE-----\n\nAPPROVE" + rest, "APPROVE"},
		{"> -----BEGIN PGP SIGNED MESSAGE-----\nx", "> -----BEGIN PGP SIGNED MESSAGE-----\nx"},
		{"plain", "plain"},
	} {
		if got := Unarmor(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzNew(f *testing.F) {
	f.Add("Yes\n\nOn 3/3/25 10:12, Ana wrote:\n> old\n-- \nBob")
	f.Add("From: a\nSent: b\nTo: c\n:\n--\n")
	f.Fuzz(func(t *testing.T, text string) {
		got := newText(Unflow(Unarmor(text), true))
		for _, line := range strings.Split(got, "\n") {
			if strings.HasPrefix(strings.TrimLeft(line, blanks), ">") {
				t.Errorf("quoted line %q is left of %q", line, text)
			}
		}
	})
}

// The first letters leave out no line that begins as one of the texts does, however it is written.
func TestFirstLettersLeaveNothingOut(t *testing.T) {
	t.Parallel()
	for _, starts := range []beginnings{mobileStarts, footerStarts, bannerStarts} {
		for _, text := range starts.texts {
			spaced := strings.ReplaceAll(text, " ", "\u00a0 ")
			for _, line := range []string{text, strings.ToUpper(text), "  *" + text + "[x](y)", spaced, text[:1] + "[" + text[1:]} {
				if !startsWith(line+"x", starts) {
					t.Errorf("%q is not known", line)
				}
			}
		}
	}
	if startsWith("The quick brown fox", footerStarts) || startsWith("", mobileStarts) || startsWith("von", mobileStarts) {
		t.Error("too much is known")
	}
}
