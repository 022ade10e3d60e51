package corpus

var german = Language{
	Code: "de", Name: "Jürgen Weiß", First: "Jürgen", Address: "juergen.weiss@nordhafen.example.com", Domain: "nordhafen.example.com",
	Card: []string{"Jürgen Weiß", "Leiter Rechenzentrum", "Nordhafen Logistik", "Tel. +49 40 5550 168"}, Closing: "Mit freundlichen Grüßen",
	Re: "AW: ", Fwd: "WG: ", Subject: "Zugriffsanfrage S000220: root auf lager-db-03",
	Notice: []string{
		"Hallo Jürgen,", "", "Sabine Krämer bittet um Zugriff auf lager-db-03 mit dem Konto root, vom 3. März 2025 11:00 bis 12:00 Uhr (UTC).",
		"Grund: Wiederanlauf nach dem Austausch der Platten.", "", "Anfrage öffnen: https://orbit.example.com/decide/5dd8", "Oder antworten Sie mit APPROVE oder REJECT in der ersten Zeile.", "", "Orbit, Benachrichtigungszentrale",
	},
	Answers: []Answer{
		{"APPROVE", "approve"},
		{"Approve.\n\nBitte vor zwölf Uhr abmelden, danach kommt die Prüfung.", "approve"},
		{"reject\n\nDas Wartungsfenster öffnet erst am Donnerstag.", "reject"},
		{"Ich würde ja APPROVE schreiben, aber welche Platten sind gemeint?", ""},
		{"DISAPPROVE!", "reject"},
		{"Bitte heute nichts für Sabine freigeben, sie ist im Zug.", ""},
		{"APPROVE\nnur für eine Stunde", "approve"},
		{"Genehmigt, danke.", ""},
		{"„APPROVE“", "approve"},
		{"Welcher Austausch? Davon weiß ich nichts.\n\nBitte um zehn anrufen.", ""},
		{"REJECT\n\nBitte das Lesekonto benutzen.", "reject"},
		{"approve?", ""},
		{"Einverstanden, aber bitte auch Heike fragen.", ""},
	},
	On: On{
		Gmail: "Am Mo., 3. März 2025 um 10:12 Uhr schrieb Orbit <notifications@orbit.example.com>:", Apple: "Am 03.03.2025 um 10:12 schrieb Orbit <notifications@orbit.example.com>:",
		Thunderbird: "Am 03.03.2025 um 10:12 schrieb Orbit:", Yahoo: "Am Montag, 3. März 2025 um 10:12:33 MEZ hat Orbit <notifications@orbit.example.com> Folgendes geschrieben:",
		Roundcube: "Am 2025-03-03 10:12, schrieb Orbit:", Proton: "Am Montag, 3. März 2025 um 10:12 Uhr schrieb Orbit <notifications@orbit.example.com>:",
	},
	Labels: Labels{"Von", "Gesendet", "An", "Betreff", "Montag, 3. März 2025 10:12"}, Original: "Ursprüngliche Nachricht",
	IPhone: "Von meinem iPhone gesendet", OutlookMobile: "Outlook für iOS beziehen", YahooPhone: "Gesendet von Yahoo Mail auf Android",
	Disclaimer: "Diese E-Mail enthält vertrauliche Informationen und ist nur für den genannten Empfänger bestimmt. Wer sie irrtümlich erhalten hat, möge sie löschen.",
	Away: Away{
		"Automatische Antwort: ", "Abwesenheitsnotiz: ",
		"Guten Tag,\n\nbis Montag, den 10. März, bin ich nicht im Büro und lese keine E-Mails.\n\nIn dringenden Fällen schreiben Sie bitte an Heike Lüders, heike.lueders@nordhafen.example.com.\n\nJürgen Weiß",
	},
	Read: Read{"Gelesen: ", "Die Nachricht wurde am Bildschirm des Empfängers angezeigt. Ob sie gelesen oder verstanden wurde, ist damit nicht gesagt.", "Ihre Nachricht\n\n   An: Jürgen Weiß\n   Betreff: %s\n   Gesendet: Montag, 3. März 2025 10:12:33 (UTC)\n\n wurde gelesen am Montag, 3. März 2025 10:40:02 (UTC)."},
	Undelivered: Undelivered{
		"Unzustellbar: ", "Ihre Nachricht an juergen.weiss@nordhafen.example.com konnte nicht zugestellt werden.", "juergen.weiss wurde bei nordhafen.example.com nicht gefunden.", "Ursprüngliche Nachrichtenkopfzeilen",
	},
}
